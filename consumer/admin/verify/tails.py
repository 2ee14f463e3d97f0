"""What the topics have at or behind the positions. Where something differs it is read, too: it may be ahead of them."""

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from aiokafka import TopicPartition
from asyncpg.pgproto import pgproto
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.verify.copy_rows import copy_rows
from neon_projector.consumer.admin.verify.snapshot import Positions
from neon_projector.consumer.admin.watermarks import Bounds
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.mentions import MANY, Mentions
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.verify import ahead, differences
from neon_projector.projections.sql.verify.tables import Scope, Side

AT_ONCE = 20_000
"""So many events go to the database in one transaction."""
READING = "reading what is behind the positions"


class Tails(NamedTuple):
    """By partition from its position (its beginning, where it has none) up to the end, at a moment when the snapshot
    was taken already: what came after that can't be in it."""

    start: Mapping[TopicPartition, int]
    end: Mapping[TopicPartition, int]
    without: list[str]
    """Partitions that have had records and have no position, each as a sentence."""

    @classmethod
    def of(
        cls, positions: Positions, bounds: Mapping[TopicPartition, Bounds], gone: Container[TopicPartition]
    ) -> "Tails":
        """`gone`: what is behind these positions is another topic's."""
        last = {p: own.latest for p, own in sorted(bounds.items()) if p not in gone}
        behind = {p: end for p, end in last.items() if end > positions.get(p, 0)}
        without = [
            f"{p.topic}:{p.partition} has no position: its records were never read, or the position was deleted"
            for p in behind
            if p not in positions
        ]
        return cls({p: positions.get(p, 0) for p in behind}, behind, without)


class Later:
    """Reads tails for one operation, and notes the entities that are ahead."""

    def __init__(self, engine: AsyncEngine, registry: Registry, scope: Scope, side: Side, operation: int) -> None:
        self._engine, self._registry = engine, registry
        self._scope, self._side, self._operation = scope, side, operation
        self._found: dict[str, set[tuple[UUID, int]]] = {p.entity: set() for p in registry if scope.has(p)}
        """By entity the id and version of each event that is not written yet."""

    async def read(
        self,
        settings: Settings,
        tails: Tails,
        tell: Callable[[int, int], None],
        passed: Callable[[int], Awaitable[None]],
    ) -> list[str]:
        """Returns what could not be read, as `Reread.unreadable`. TransientError where Kafka does not answer."""
        only = await self._few()
        decode = decoder_of(settings, self._registry, pgproto.UUID).all
        reading = Reread(settings, tails.end, tell, tails.start, over_gaps=True, only=only)
        with kafka_translated():
            async for part in reading.parts():
                await self.add(decode(part.records))
                await passed(part.span.next_offset - part.span.start)
        return reading.unreadable

    async def add(self, decoded: Iterable[object]) -> None:
        """Take in what stands there."""
        for event in decoded:
            if isinstance(event, Event) and (own := self._found.get(event.entity)) is not None:
                own.add((event.id, event.version))
        if sum(map(len, self._found.values())) >= AT_ONCE:
            await self._write()

    async def note(self) -> int:
        """Note which of the entities that differ are ahead; returns how many."""
        await self._write()
        of, number = {"operation": self._operation}, 0
        with translated():
            async with self._engine.begin() as connection:
                for projection in (p for p in self._registry if self._scope.has(p)):
                    number += (await connection.execute(ahead.find(projection, self._side), of)).rowcount
        return number

    async def _few(self) -> Mentions | None:
        """The entities that differ, if these are so few that only the records that name them need be looked at."""
        with translated():
            async with self._engine.connect() as connection:
                found = await connection.execute(differences.IDS, {"operation": self._operation, "most": MANY + 1})
                ids = {row.id for row in found}
        return Mentions.unless_many(ids)

    async def _write(self) -> None:
        with translated():
            async with self._engine.begin() as connection:
                for entity, found in self._found.items():
                    if found:
                        name = self._side.of(self._registry[entity], "later")
                        await copy_rows(connection, name, ahead.LATER, list(found))
                        found.clear()
