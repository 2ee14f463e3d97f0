"""Sends the rows of an outbox to Kafka as CloudEvents. Start one or several; kill them whenever you like.

DATABASE_URL, KAFKA_BOOTSTRAP_SERVERS and EVENT_SOURCE (the events' `source`) come from the environment.
"""

import asyncio
import json
import os
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

ROWS = 500
WAIT_SECONDS = 0.2
"""How soon a new row is looked for where there was none."""

# SKIP LOCKED: another poller has these. FOR UPDATE: nobody else gets ours, until COMMIT or our death.
TAKE = """
SELECT id, aggregatetype, aggregateid, type, payload, created_at FROM outbox
WHERE sent_at IS NULL ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
"""
MARK = "UPDATE outbox SET sent_at = clock_timestamp() WHERE id = ANY($1::uuid[])"
HEADERS = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


async def send_some(database: Any, producer: Any, source: str) -> int:
    """Send and mark the next rows; returns how many. What Kafka refuses stays unmarked, and its error is raised."""
    async with database.transaction():
        rows = await database.fetch(TAKE, ROWS)
        answers = await asyncio.gather(*(send(producer, row, source) for row in rows), return_exceptions=True)
        refused = [(row["id"], answer) for row, answer in zip(rows, answers, strict=True) if failed(answer)]
        # Who dies here has sent and not marked: the rows are sent again. The service drops what it has already.
        await database.execute(MARK, {row["id"] for row in rows} - {number for number, _ in refused})
    for number, error in refused:
        raise RuntimeError(f"row {number} of the outbox could not be sent") from error
    return len(rows)


async def send(producer: Any, row: Any, source: str) -> None:
    key, value = str(row["aggregateid"]).encode(), as_event(row, source)
    await producer.send_and_wait(row["aggregatetype"], key=key, value=value, headers=HEADERS)


def as_event(row: Any, source: str) -> bytes:
    """A CloudEvent in structured mode. `source` and `id` name the event: they stay the same when it is sent again."""
    event = {
        "specversion": "1.0",
        "id": str(row["id"]),
        "source": source,
        "type": row["type"],
        "subject": str(row["aggregateid"]),
        "time": row["created_at"].isoformat(),
        "datacontenttype": "application/json",
        "data": json.loads(row["payload"]),
    }
    return json.dumps(event).encode()


def failed(answer: Any) -> bool:
    return isinstance(answer, BaseException)


async def main() -> None:
    database = await asyncpg.connect(os.environ["DATABASE_URL"])
    # The partition is chosen by murmur2 of the key, as Java's client does. Idempotence implies acks=all.
    producer = AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"], enable_idempotence=True)
    await producer.start()
    try:
        while True:
            if await send_some(database, producer, os.environ["EVENT_SOURCE"]) == 0:
                await asyncio.sleep(WAIT_SECONDS)
    finally:
        await producer.stop()
        await database.close()


if __name__ == "__main__":
    asyncio.run(main())
