"""All entities' writers, parents first: for the transaction of the service, and for what operators have tried again."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.apply.entities.apart import Apart
from neon_projector.consumer.apply.entities.plan import Written
from neon_projector.consumer.apply.entities.relations import Relations
from neon_projector.consumer.apply.entities.writer import EntityWriter
from neon_projector.consumer.apply.lock import Entered, Mode
from neon_projector.consumer.apply.refusals import Refusals
from neon_projector.consumer.apply.savepoints import Savepoints
from neon_projector.consumer.errors import BadData, Moved, ProjectorError
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry


class Writers:
    """Writes the events of a batch, and reads what the database says of them."""

    def __init__(self, registry: Registry) -> None:
        family = Relations(registry)
        self._writers = {p.entity: EntityWriter(registry, p, family) for p in registry}
        self._refusals = Refusals(registry)
        self._savepoints = Savepoints(self._refusals)
        self._apart = Apart(self._writers, family, self._savepoints)

    def __iter__(self) -> Iterator[str]:
        return iter(self._writers)

    async def write(
        self, connection: AsyncConnection, entity: str, events: Mapping[UUID, list[Event]], entered: Entered
    ) -> Written:
        """Apply one entity's events; see EntityWriter.write, in Mode.EXCLUSIVE_APART Apart.write."""
        if entered.mode is Mode.EXCLUSIVE_APART:
            return await self._apart.write(connection, entity, events, entered)
        return await self._writers[entity].write(connection, events, entered)

    async def show_again(self, connection: AsyncConnection, entity: str, entity_id: UUID, entered: Entered) -> Written:
        """Try a state that was refused once more, in Mode.EXCLUSIVE_APART; see Apart.show_again."""
        return await self._apart.show_again(connection, entity, entity_id, entered)

    async def read(self, engine: AsyncEngine, error: DBAPIError, mode: Mode) -> ProjectorError | DBAPIError:
        """Our error for one that a transaction of `mode` ended with; `error` itself where it tells of no record."""
        async with engine.connect() as connection:
            return await self._refusals.read(connection, error, mode) or error

    async def blamed(self, engine: AsyncEngine, moved: Moved) -> BadData:
        """What `moved` is that comes back although nobody else writes: no race, but somebody who refuses."""
        async with engine.connect() as connection:
            return await self._savepoints.blamed(connection, moved)
