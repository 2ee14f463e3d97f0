"""Looks in the topics, up to the positions, for records of ids that the database does not know (any more)."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.explain.gone_with import Child, children_of
from neon_projector.consumer.admin.kept import WHOLE, Kept, kept_of
from neon_projector.consumer.admin.lost_records import time_of
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.mentions import Mentions
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.event import Decoded, Event, Ignored
from neon_projector.projections.contract.projection import DELETED, PARTIAL, Registry
from neon_projector.projections.contract.record import Record


class Place(NamedTuple):
    """Where an event of an entity stands, and what it is: a `whole` one needs none before it."""

    topic: str
    partition: int
    offset: int
    entity: str
    version: int
    whole: bool
    deletes: bool
    type: str
    at: datetime | None
    """The record's timestamp; None where it is no time."""


@dataclass
class Searched:
    """What the topics have of some ids, before the positions."""

    places: dict[UUID, list[Place]] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    """Why there may be more than was found; empty: all records were read."""
    ignored: dict[UUID, list[Ignored]] = field(default_factory=dict)
    """Records of each, which are of types that this service does not know."""
    children: dict[UUID, list[Child]] = field(default_factory=dict)
    """What the records give to each of these ids, as their parent."""
    kept: Kept = WHOLE
    """What Kafka can't give although it has records at the offsets."""


@dataclass
class Read:
    """The decoded records of some ids, in the order in which they were read, and why there may be more of them."""

    decoded: list[Decoded] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    kept: Kept = WHOLE

    def tell(self, kept: Kept) -> None:
        """Take in what Kafka can't give."""
        self.kept, self.gaps = kept, [*kept.sentences(), *self.gaps]


async def search(
    engine: AsyncEngine, settings: Settings, registry: Registry, ids: Collection[UUID], seconds: float
) -> Searched:
    """Read the topics up to the positions, for at most so long. A Kafka that does not answer is one of the gaps. Of a
    topic that was created again nothing is read: what it has there, the service has not read."""
    stored = await positions.stored(engine, settings.kafka_group_id)
    ends = {partition: int(own["next_offset"]) for partition, own in stored.items()}
    kept, read = WHOLE, Read()
    with _gaps(read, seconds):
        async with asyncio.timeout(seconds):
            kept = await kept_of(engine, settings, ends)
    if not read.gaps:
        read = await records_of(engine, settings, registry, kept.known(ends), ids, seconds)
    read.tell(kept)
    return searched(registry, ids, read, ends)


def searched(
    registry: Registry, ids: Collection[UUID], read: Read, positions: Mapping[TopicPartition, int]
) -> Searched:
    """What was read of these ids before the positions, and is what the service has read there."""
    known = read.kept.known(positions)
    before = [one for one in read.decoded if _is_before(one.record, known)]
    ignored = {one: _ignored(before, one) for one in ids}
    children = {one: children_of(registry, before, one) for one in ids}
    found = Searched({one: [] for one in ids}, read.gaps, ignored, children, read.kept)
    for decoded in before:
        if isinstance(decoded, Event) and decoded.id in found.places:
            found.places[decoded.id].append(_place(decoded))
    return found


def _ignored(decoded: Iterable[Decoded], entity_id: UUID) -> list[Ignored]:
    unknown = [one for one in decoded if isinstance(one, Ignored) and one.type is not None]
    named = str(entity_id).encode()
    return [one for one in unknown if named in ((one.record.key or b"") + (one.record.value or b"")).lower()]


def _is_before(record: Record, positions: Mapping[TopicPartition, int]) -> bool:
    return record.offset < positions.get(TopicPartition(record.topic, record.partition), 0)


async def records_of(
    engine: AsyncEngine, settings: Settings, registry: Registry, ends: Mapping[TopicPartition, int],
    ids: Collection[UUID], seconds: float, progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Read:  # fmt: skip
    """Every record before `ends` whose key or value names one of the ids; read for at most so long."""
    settings = await as_the_service(engine, settings)
    decode, read = decoder_of(settings, registry).all, Read()
    mentions = Mentions(ids, [one.bytes for one in ids])
    reading = Reread(settings, ends, progress, only=mentions)
    with _gaps(read, seconds):
        async with asyncio.timeout(seconds):
            with kafka_translated():
                async for records in reading.records():
                    read.decoded += [one for one in decode(records) if _concerns(one, ids, mentions)]
    read.gaps += reading.unreadable
    return read


@contextmanager
def _gaps(read: Read, seconds: float) -> Iterator[None]:
    """Within, a Kafka that does not answer, or not in time, is a gap."""
    try:
        yield
    except TimeoutError:
        read.gaps.append(f"the topics were read for {seconds:g} s only")
    except TransientError as trouble:
        if trouble.reason != "kafka":
            raise
        read.gaps.append(f"Kafka does not answer: {trouble.detail}")


def _concerns(decoded: Decoded, ids: Collection[UUID], mentions: Mentions) -> bool:
    """Whether it is of one of the ids, or names one."""
    own = decoded.id if isinstance(decoded, Event) else getattr(decoded, "entity_id", None)
    return own in ids or mentions.plainly(decoded.record)


def _place(event: Event) -> Place:
    record, kind = event.record, event.kind
    where = (record.topic, record.partition, record.offset, event.entity, event.version)
    return Place(*where, kind is not PARTIAL, kind is DELETED, event.type, time_of(record.timestamp))
