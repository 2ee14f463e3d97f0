"""Dead letters once more: the original is decoded with today's code and written by the normal path.

Each letter has a transaction of its own. It moves no position: the record was acknowledged as `rejected` long ago.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from consumer import operations
from consumer.entity_writer import EntityWriter
from consumer.family import Family
from consumer.gate import Mode, enter
from consumer.recovery import kafka_translated, translated
from consumer.settings import Settings
from consumer.source import client_options
from models import CONTROL_SCHEMA
from projections.decode import Decoder
from projections.event import Event, Ignored
from projections.projection import Registry
from projections.record import Record

FETCH_MS = 5_000

_NEW = text(f"""
    SELECT id, topic, partition, "offset", sha256 FROM {CONTROL_SCHEMA}.dead_letters
    WHERE status = 'new' AND (CAST(:all AS boolean) OR id = ANY(CAST(:id AS bigint[])) OR reason = :reason)
    ORDER BY id""")
_SETTLE = text(f"""
    UPDATE {CONTROL_SCHEMA}.dead_letters SET status = :status, attempts = attempts + 1
    WHERE id = :id AND status = 'new'""")
_DISCARD = text(f"""
    UPDATE {CONTROL_SCHEMA}.dead_letters SET status = 'discarded'
    WHERE id = ANY(CAST(:id AS bigint[])) AND status = 'new'""")


@dataclass(frozen=True)
class Choice:
    """Which of the new dead letters: these, those of a reason, or all."""

    ids: tuple[int, ...] = ()
    reason: str | None = None
    every: bool = False


async def chosen(engine: AsyncEngine, choice: Choice) -> list[dict[str, Any]]:
    """The new dead letters of `choice`: id, topic, partition, offset, sha256."""
    values = {"all": choice.every, "id": list(choice.ids), "reason": choice.reason}
    with translated():
        async with engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(_NEW, values)).mappings()]


async def discard(engine: AsyncEngine, letters: Sequence[dict[str, Any]]) -> int:
    """Give these up; returns how many were still new."""
    ids = [letter["id"] for letter in letters]
    with translated():
        async with engine.begin() as connection:
            done = (await connection.execute(_DISCARD, {"id": ids})).rowcount
            await operations.record(connection, "dead-letters discard", after=ids, outcome=f"{done} discarded")
    return done


async def retry(
    engine: AsyncEngine, settings: Settings, registry: Registry, letters: Sequence[dict[str, Any]]
) -> dict[str, int]:
    """Try these again; returns how many were `resolved`, `rejected` again, or `lost` (Kafka has not the record)."""
    decode = Decoder(registry, settings.event_max_bytes)
    family = Family(registry)
    writers = {p.entity: EntityWriter(registry, p, family) for p in registry}
    counts = {"resolved": 0, "rejected": 0, "lost": 0}
    with kafka_translated():
        originals = await _originals(settings, letters)
    for letter in letters:
        record = originals.get(letter["id"])
        if record is None:
            counts["lost"] += 1
            continue
        decoded = decode(record)
        with translated():
            async with engine.begin() as connection:
                good = isinstance(decoded, Ignored)
                if isinstance(decoded, Event):
                    good = await _write(connection, writers[decoded.entity], decoded)
                await connection.execute(_SETTLE, {"id": letter["id"], "status": "resolved" if good else "new"})
        counts["resolved" if good else "rejected"] += 1
    with translated():
        async with engine.begin() as connection:
            ids = [letter["id"] for letter in letters]
            await operations.record(connection, "dead-letters retry", before=ids, after=counts)
    return counts


async def _write(connection: AsyncConnection, writer: EntityWriter, event: Event) -> bool:
    """Write one event; False where it is rejected again."""
    await enter(connection, Mode.CAREFUL)
    written = await writer.write(connection, {event.id: [event]}, Mode.CAREFUL)
    return not written.rejected


async def _originals(settings: Settings, letters: Sequence[dict[str, Any]]) -> dict[int, Record]:
    """The records as they stand in Kafka, by the letter's id; only those whose value is still the same."""
    client = AIOKafkaConsumer(enable_auto_commit=False, **client_options(settings))
    await client.start()
    found: dict[int, Record] = {}
    try:
        for letter in letters:
            partition = TopicPartition(letter["topic"], letter["partition"])
            client.assign([partition])
            first = (await client.beginning_offsets([partition]))[partition]
            last = (await client.end_offsets([partition]))[partition]
            if not first <= letter["offset"] < last:
                continue
            client.seek(partition, letter["offset"])
            record = (await client.getmany(partition, timeout_ms=FETCH_MS, max_records=1)).get(partition, [None])[0]
            if record is not None and hashlib.sha256(record.value or b"").digest() == letter["sha256"]:
                found[letter["id"]] = record
    finally:
        await client.stop()
    return found
