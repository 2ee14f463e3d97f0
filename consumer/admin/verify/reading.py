"""Reads the topics up to the positions of the snapshot, and puts their events on disk."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from uuid import UUID

from aiokafka import TopicPartition
from asyncpg.pgproto import pgproto

from neon_projector.consumer.admin.kept import Kept
from neon_projector.consumer.admin.letters.edits import Edit, Place
from neon_projector.consumer.admin.operations.pace import Pace
from neon_projector.consumer.admin.verify.snapshot import Positions
from neon_projector.consumer.admin.verify.spill import Spill
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.mentions import Keyed, Mentions
from neon_projector.consumer.kafka.partitioners import KEYS
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.contract.record import Record
from neon_projector.projections.sql.verify.tables import Scope
from neon_projector.projections.state.packed import Packing

SAVE_SECONDS = 15.0
"""How often it is made certain what is on disk; a reader that was killed reads again what came after."""
STEP_SECONDS = 2.0


class Reading:
    """Reads into `spill`, from where its manifest says. Afterwards that says what could not be read."""

    def __init__(
        self, settings: Settings, registry: Registry, scope: Scope, spill: Spill, packing: Packing, pace: Pace,
        form: str | None = None,
    ) -> None:  # fmt: skip
        """`form`: how the keys of the scope's ids are written, where it is known."""
        self._settings, self._scope, self._spill, self._packing = settings, scope, spill, packing
        self._pace = pace
        self._decode = decoder_of(settings, registry, pgproto.UUID).all
        self._projections = {p.entity: p for p in registry if scope.has(p)}
        self._replaced: set[Place] = set()
        self.hanging: set[UUID] = set()
        """Children of the ids, that are none of them."""
        self._part = bool(scope.ids or scope.entities)
        self._only: Mentions | Keyed | None = Mentions(scope.ids) if scope.ids else None
        if form is not None:
            self._only = Keyed(map(KEYS[form], scope.ids))

    def edited(self, edits: Iterable[Edit], kept: Kept) -> None:
        """Take these in, and none of the records in whose place they stand. Where the topic was created again since,
        another record has that place, and counts. Twice is no harm: an equal event adds nothing."""
        for edit in edits:
            self._spill.add(self._packed([edit.record]))
            left = kept.left.get(TopicPartition(*edit.place[:2]))
            if left is None or edit.operation > left.operation:
                self._replaced.add(edit.place)

    async def read(
        self, positions: Positions, kept: Kept, tell: Callable[[int, int], None], step: Callable[[int], Awaitable[None]]
    ) -> None:
        """`tell` hears how many offsets are read, of how many; `step` how many records, every two seconds. With ids all
        offsets count: of most records nothing else is known."""
        manifest, clock = self._spill.manifest, asyncio.get_running_loop().time
        start = partitions_of(manifest.read)
        reading = Reread(self._settings, positions, tell, start, only=self._only, gone=kept.gone)
        partly = [f"{p.topic}:{p.partition}: {why}" for p, why in kept.partly.items() if p in positions]
        read, records, saved, before = dict(manifest.read), manifest.records, clock(), [*manifest.unreadable, *partly]
        stepped = saved
        with kafka_translated():
            async for part in reading.parts():
                self._spill.add(self._packed(part.records))
                passed = part.span.next_offset - part.span.start
                records += len(part.records) if self._only is None else passed
                read[f"{part.partition.topic}:{part.partition.partition}"] = part.span.next_offset
                await self._pace.passed(passed)
                if clock() - stepped > STEP_SECONDS:
                    await step(records)
                    stepped = clock()
                if clock() - saved > SAVE_SECONDS:
                    self._spill.save(read, records, list(dict.fromkeys([*before, *reading.unreadable])))
                    saved = clock()
        self._spill.save(read, records, list(dict.fromkeys([*before, *reading.unreadable])))

    def _packed(self, records: Sequence[Record]) -> list[tuple[object, ...]]:
        pack = self._packing.pack
        events = [event for event in self._decode(records) if type(event) is Event]
        if self._replaced:
            events = [event for event in events if _place(event) not in self._replaced]
        if self._part:
            events = [event for event in events if event.entity in self._projections and self._is_wanted(event)]
        return list(map(pack, events))

    def _is_wanted(self, event: Event) -> bool:
        """Of some ids only: whether it is of one of them. What else is to be known of it is noted."""
        ids, named, projection = self._scope.ids, self._scope.named, self._projections[event.entity]
        if not ids or event.id in ids:
            if named is not None:
                named.add(projection, event)
            return True
        if any(event.fields.get(parent.column) in ids for parent in projection.parents):
            self.hanging.add(event.id)
        return False


def _place(event: Event) -> Place:
    return event.record.topic, event.record.partition, event.record.offset


def partitions_of(read: Mapping[str, int]) -> dict[TopicPartition, int]:
    """Of `topic:partition`."""
    names = {name.rpartition(":")[::2]: offset for name, offset in read.items()}
    return {TopicPartition(topic, int(number)): offset for (topic, number), offset in names.items()}
