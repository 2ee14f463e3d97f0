"""Looks in the topics, up to the positions, for records of ids that the database does not know (any more)."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.lost_records import time_of
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Decoded, Event
from neon_projector.projections.contract.mentions import Mentions
from neon_projector.projections.contract.projection import DELETED, PARTIAL, Registry


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
    key: str | None
    """The record's key, where it is the id as text."""


@dataclass
class Searched:
    """What the topics have of some ids, before the positions."""

    places: dict[UUID, list[Place]] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    """Why there may be more than was found; empty: all records were read."""


@dataclass
class Read:
    """The decoded records of some ids, in the order in which they were read, and why there may be more of them."""

    decoded: list[Decoded] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)


async def search(
    engine: AsyncEngine, settings: Settings, registry: Registry, ids: Collection[UUID], seconds: float
) -> Searched:
    """Read the topics up to the positions, for at most so long. A Kafka that does not answer is one of the gaps."""
    stored = await positions.stored(engine, settings.kafka_group_id)
    ends = {partition: int(own["next_offset"]) for partition, own in stored.items()}
    return searched(ids, await records_of(engine, settings, registry, ends, ids, seconds), ends)


def searched(ids: Collection[UUID], read: Read, positions: Mapping[TopicPartition, int]) -> Searched:
    """What was read of these ids before the positions."""
    found = Searched({one: [] for one in ids}, read.gaps)
    for decoded in read.decoded:
        if isinstance(decoded, Event) and decoded.id in found.places:
            record = decoded.record
            if record.offset < positions.get(TopicPartition(record.topic, record.partition), 0):
                found.places[decoded.id].append(_place(decoded))
    return found


async def records_of(
    engine: AsyncEngine, settings: Settings, registry: Registry, ends: Mapping[TopicPartition, int],
    ids: Collection[UUID], seconds: float, progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Read:  # fmt: skip
    """Every record before `ends` whose key or value names one of the ids; read for at most so long."""
    settings = await as_the_service(engine, settings)
    decode, read = Decoder(registry, settings.event_max_bytes).all, Read()
    mentions = Mentions(ids, [one.bytes for one in ids])
    reading = Reread(settings, ends, progress, only=mentions)
    try:
        async with asyncio.timeout(seconds):
            with kafka_translated():
                async for records in reading.records():
                    read.decoded += [one for one in decode(records) if _concerns(one, ids, mentions)]
    except TimeoutError:
        read.gaps.append(f"the topics were read for {seconds:g} s only")
    except TransientError as trouble:
        read.gaps.append(f"Kafka does not answer: {trouble.detail}")
    read.gaps += reading.unreadable
    return read


def _concerns(decoded: Decoded, ids: Collection[UUID], mentions: Mentions) -> bool:
    """Whether it is of one of the ids, or names one."""
    own = decoded.id if isinstance(decoded, Event) else getattr(decoded, "entity_id", None)
    return own in ids or mentions.plainly(decoded.record)


def _place(event: Event) -> Place:
    record, kind = event.record, event.kind
    where = (record.topic, record.partition, record.offset, event.entity, event.version)
    key = str(event.id) if record.key == str(event.id).encode() else None
    return Place(*where, kind is not PARTIAL, kind is DELETED, event.type, time_of(record.timestamp), key)


def applied(places: Iterable[Place], letters: Iterable[Mapping[str, Any]]) -> list[Place]:
    """Those that did not become dead letters, by version."""
    rejected = {(letter["topic"], letter["partition"], letter["offset"]) for letter in letters}
    return sorted((p for p in places if p[:3] not in rejected), key=lambda place: place.version)


def said_gone(places: list[Place]) -> str:
    """What to know where these were applied, and nothing is stored of them."""
    last = places[-1]
    where = f"{last.topic}:{last.partition} offset {last.offset}"
    said = f"its {last.entity} was written up to version {last.version} ({where})"
    if last.deletes:
        return f"{said}, which deletes it; the service's note of that was removed by hand or by another program"
    return f"{said}, and is gone without an event: deleted by hand, by another program, or with the one it belongs to"


def brings_back(places: list[Place]) -> str | None:
    """The command that lets these be read again; None where they need an event before them, or end in a deletion."""
    whole = [place for place in places if place.whole]
    if not whole or places[-1].deletes:
        return None
    needed = [place for place in places if place.version >= whole[-1].version]
    key = f" --key {needed[0].key}" if all(place.key for place in needed) else ""
    where = {place[:2] for place in needed}
    if len(where) > 1:
        return f"projector replay --all-topics{key}"
    ((topic, partition),), offsets = where, [place.offset for place in needed]
    return f"projector replay --topic {topic}:{partition} --from {min(offsets)} --to {max(offsets) + 1}{key}"
