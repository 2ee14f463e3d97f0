"""Looks in the topics, up to the positions, for records of ids that the database does not know (any more)."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.lost_records import time_of
from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event
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


async def search(
    engine: AsyncEngine, settings: Settings, registry: Registry, ids: Collection[UUID], seconds: float
) -> Searched:
    """Read the topics for at most so long. A Kafka that does not answer is one of the gaps."""
    settings = await as_the_service(engine, settings)
    stored = await positions.stored(engine, settings.kafka_group_id)
    reading = Reread(settings, {p: int(own["next_offset"]) for p, own in stored.items()}, lambda _done, _all: None)
    decode, found = Decoder(registry, settings.event_max_bytes), Searched({one: [] for one in ids})
    needles = [text.encode() for one in ids for text in (str(one), one.hex)]
    try:
        async with asyncio.timeout(seconds):
            with kafka_translated():
                async for records in reading.records():
                    for record in records:
                        if _mentions(record, needles):
                            _note(found, decode(record))
    except TimeoutError:
        found.gaps.append(f"the topics were read for {seconds:g} s only")
    except TransientError as trouble:
        found.gaps.append(str(trouble))
    found.gaps += reading.unreadable
    return found


def _mentions(record: Record, needles: Iterable[bytes]) -> bool:
    """Cheap, and true where `record` is of one of the ids; what it is tells decoding."""
    text = (record.value or b"").lower()
    return any(needle in text for needle in needles)


def _note(found: Searched, decoded: Any) -> None:
    if isinstance(decoded, Event) and decoded.id in found.places:
        record, kind = decoded.record, decoded.kind
        at = time_of(record.timestamp)
        place = (record.topic, record.partition, record.offset, decoded.entity, decoded.version)
        found.places[decoded.id].append(Place(*place, kind is not PARTIAL, kind is DELETED, decoded.type, at))


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
    start = whole[-1]
    return f"projector offsets reset --topic {start.topic}:{start.partition} --to-offset {start.offset}"
