"""One round: gets the events of what differs ready, and heals it portion by portion, parents first."""

import asyncio
from array import array
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol
from uuid import UUID

from aiokafka import TopicPartition
from asyncpg.pgproto import pgproto
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.letters.edits import edits
from neon_projector.consumer.admin.operations.pace import Pace
from neon_projector.consumer.admin.rebuild.heal import Healing
from neon_projector.consumer.admin.rebuild.originals import Originals
from neon_projector.consumer.admin.rebuild.sick import Sick
from neon_projector.consumer.admin.rebuild.todo import Pending, Todo
from neon_projector.consumer.admin.verify.spill import Spill
from neon_projector.consumer.batching.sizes import size_of
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.contract.record import Record
from neon_projector.projections.state.packed import Packed, Packing, deciding

LEAST, MOST = 50, 500
"""Entities of one transaction."""
TARGET_SECONDS = 0.1
"""Portions become smaller while they take longer: the service waits for so long. Much smaller ones would let it wait
longer in all."""
SHARE_SECONDS = 0.05
"""Where the rate is low, a portion has only so much of it: few at a time instead of many and a long pause."""
PAUSE_SECONDS = 0.01
"""Between two portions, at least; else as long as the one before took."""
PORTION_BYTES = 4 * 1024 * 1024
"""Of records, in one transaction, give or take the last one."""


class HasRecords(Protocol):
    """`Originals`, once they are read."""

    def at(self, topic: str, partition: int, offset: int) -> Record | None: ...


Tell = Callable[[str, int, int | None], None]


class Round:
    """Heals what is pending in `todo` for round `number`."""

    def __init__(
        self, engine: AsyncEngine, settings: Settings, registry: Registry, todo: Todo, number: int, spill: Spill,
        packing: Packing, tell: Tell,
    ) -> None:  # fmt: skip
        self._engine, self._settings, self._registry = engine, settings, registry
        self._todo, self._number, self._spill, self._packing = todo, number, spill, packing
        self._tell = tell
        self._decode = decoder_of(settings, registry, pgproto.UUID)

    async def originals(self, directory: Path, pace: Pace) -> Originals:
        """The records of all that is pending, read again."""
        wanted, ids = dict[TopicPartition, "array[int]"](), set[UUID]()
        pending = await self._kinds()
        for bucket in range(self._spill.buckets):
            for entity, all_events in self._events(pending, bucket).items():
                for entity_id, own in (await self._pending(entity, all_events))[1].items():
                    ids.add(entity_id)
                    for one in deciding(own):
                        topic, partition, offset = self._packing.place(one)
                        wanted.setdefault(TopicPartition(topic, partition), array("q")).append(offset)
        found = Originals(self._settings, directory, await edits(self._engine))
        await found.read(wanted, ids, lambda done, total: self._tell("reading records again", done, total), pace.passed)
        return found

    async def heal(self, healing: Healing, originals: HasRecords, pace: Pace, total: int) -> None:
        """All that is pending; parents first, so that their children find them."""
        size, done = LEAST, 0
        for projection in await self._kinds():
            async for some in self._portions(projection, originals):
                start = 0
                while start < len(some):
                    now = size if pace.rate is None else min(size, max(1, int(pace.rate * SHARE_SECONDS)))
                    portion, start, before = some[start : start + now], start + now, healing.held
                    await healing.heal(projection, portion)
                    held = healing.held - before
                    size = max(LEAST, size // 2) if held > TARGET_SECONDS else min(MOST, int(size * 1.2) + 1)
                    done += len(portion)
                    self._tell("healing", done, total)
                    await asyncio.sleep(max(PAUSE_SECONDS, held))
                    await pace.passed(len(portion))

    async def _portions(self, projection: Projection, originals: HasRecords) -> AsyncIterator[list[Sick]]:
        """Lists of what is ready to be healed, of few megabytes each."""
        some, size = list[Sick](), 0
        for bucket in range(self._spill.buckets):  # of few entities each, so a portion is of many buckets
            all_events = self._events([projection], bucket)[projection.entity]
            seen, packed = await self._pending(projection.entity, all_events)
            for entity_id, own in packed.items():
                found = [self._again(projection, entity_id, one, originals) for one in deciding(own)]
                events = [event for event in found if event is not None]
                pending = seen[entity_id]
                whole = events if len(events) == len(found) else None
                some.append(Sick(entity_id, pending.seen, whole, pending.keeps))
                size += sum(size_of(event.record) for event in events)
                if size >= PORTION_BYTES or len(some) >= MOST:
                    yield some
                    some, size = [], 0
        yield some
        while some := await self._without_events(projection):
            yield some

    def _again(self, projection: Projection, entity_id: UUID, packed: Packed, originals: HasRecords) -> Event | None:
        """The event, from its record; None where Kafka has it no more, or has another there: the topic was created
        again after it was verified."""
        record = originals.at(*self._packing.place(packed))
        one = None if record is None else self._decode(record)
        if not isinstance(one, Event):
            return None
        wanted = (projection.entity, entity_id, packed.version)
        return one if (one.entity, one.id, one.version) == wanted else None

    async def _kinds(self) -> list[Projection]:
        """Those of which something is pending, parents first."""
        with translated():
            async with self._engine.connect() as connection:
                return [p for p in self._registry if await self._todo.first(connection, self._number, p.entity, 1)]

    def _events(self, projections: Sequence[Projection], bucket: int) -> dict[str, dict[UUID, list[Packed]]]:
        """Of one bucket, by entity and id: all, also of those that are not pending."""
        found: dict[str, dict[UUID, list[Packed]]] = {projection.entity: {} for projection in projections}
        numbers = {self._packing.projections.index(projection): projection.entity for projection in projections}
        for part in self._spill.parts(bucket) if projections else ():
            for packed in self._packing.decode_many(part):
                if (entity := numbers.get(packed.entity)) is not None:
                    found[entity].setdefault(self._packing.new_id(packed.id), []).append(packed)
        return found

    async def _pending(
        self, entity: str, events: Mapping[UUID, Sequence[Packed]]
    ) -> tuple[Mapping[UUID, Pending], Mapping[UUID, Sequence[Packed]]]:
        """By id: what is to be healed, and its events."""
        if not events:  # of a single id nearly all buckets are empty, and there may be thousands
            return {}, {}
        with translated():
            async with self._engine.connect() as connection:
                seen = await self._todo.pending(connection, self._number, entity, events)
        return seen, {entity_id: events[entity_id] for entity_id in seen}

    async def _without_events(self, projection: Projection) -> list[Sick]:
        """Some of those of which the topics have no event."""
        with translated():
            async with self._engine.connect() as connection:
                seen = await self._todo.first(connection, self._number, projection.entity, MOST)
        return [Sick(entity_id, one.seen, [], one.keeps) for entity_id, one in seen.items()]
