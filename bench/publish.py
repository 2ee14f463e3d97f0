"""Publishes a mix as fast as one producer can, each key to one partition."""

from collections.abc import Iterable
from uuid import UUID

from aiokafka import AIOKafkaProducer

MAX_BYTES = 8 * 1024 * 1024
"""Of a request; larger than any value that the service takes."""


async def publish(bootstrap: str, names: dict[str, str], events: Iterable[tuple[str, UUID, bytes]]) -> None:
    """Send all `events` and wait until the broker has them; `names` maps `users` and `documents` to topics."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=256 * 1024, max_request_size=MAX_BYTES
    )
    await producer.start()
    try:
        for topic, key, value in events:
            await producer.send(names[topic], key=str(key).encode(), value=value)
        await producer.flush()
    finally:
        await producer.stop()
