"""All entities' writers, parents first. The service and the commands that try something again use the same ones."""

from collections.abc import Collection, Iterator
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.apply.entities.access import access_to
from neon_projector.consumer.apply.entities.apart import Apart
from neon_projector.consumer.apply.entities.plan import Written
from neon_projector.consumer.apply.entities.relations import Relations
from neon_projector.consumer.apply.entities.withdraw import withdraw
from neon_projector.consumer.apply.entities.writer import EntityWriter
from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.refusals import Refusals
from neon_projector.consumer.apply.savepoints import Savepoints
from neon_projector.consumer.apply.unit import Unit
from neon_projector.consumer.errors import BadData, Moved, ProjectorError
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.state.grouping import Events


class Writers:
    """Writes the events of a batch, and reads what the database says about them."""

    def __init__(self, registry: Registry) -> None:
        relations = Relations(registry)
        self._accesses = {p.entity: access_to(registry, p, relations) for p in registry}
        self._writers = {entity: EntityWriter(access) for entity, access in self._accesses.items()}
        self._refusals = Refusals(registry)
        self._savepoints = Savepoints(self._refusals)

    def __iter__(self) -> Iterator[str]:
        return iter(self._writers)

    async def write(self, unit: Unit, entity: str, events: Events) -> Written:
        """Apply one entity's events. Errors and modes as EntityWriter.write; in Mode.EXCLUSIVE_APART as Apart.write."""
        if unit.mode is Mode.EXCLUSIVE_APART:
            return await Apart(unit, self._accesses, self._savepoints).write(entity, events)
        return await self._writers[entity].write(unit, events)

    async def show_again(self, unit: Unit, entity: str, entity_id: UUID) -> Written:
        """In Mode.EXCLUSIVE_APART, try once more to show a state that was refused. See Apart.show_again."""
        return await Apart(unit, self._accesses, self._savepoints).show_again(entity, entity_id)

    async def withdraw(
        self, unit: Unit, entity: str, ids: Collection[UUID], shown: Collection[UUID], reason: str = "no_parent"
    ) -> Written:
        """Take entities away of which no event tells how they are. See `entities.withdraw`."""
        return await withdraw(unit, self._accesses[entity], ids, shown, reason)

    async def appeared(self, unit: Unit, entity: str, ids: Collection[UUID]) -> None:
        """Call it when rows were inserted by hand: shows the children that waited for them."""
        await self._accesses[entity].relations.release_children(unit.connection, entity, list(ids))

    async def read(self, engine: AsyncEngine, error: DBAPIError, mode: Mode) -> ProjectorError | DBAPIError:
        """Our error for one that ended a transaction of `mode`; `error` itself if it says nothing about a record."""
        async with engine.connect() as connection:
            return await self._refusals.read(connection, error, mode) or error

    async def blamed(self, engine: AsyncEngine, moved: Moved) -> BadData:
        """What `moved` is if it comes back although nobody else writes: no race, but something that refuses."""
        async with engine.connect() as connection:
            return await self._savepoints.blamed(connection, moved)
