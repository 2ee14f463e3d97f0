"""What an operator does to topics: delete them, create them again, add partitions, delete records."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete

KEEPS = {"retention.ms": "-1", "max.message.bytes": str(8 * 1024 * 1024)}


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that may do all this."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def create_topics(bootstrap: str, *topics: str, partitions: int = 1) -> None:
    async with admin(bootstrap) as client:
        await client.create_topics([NewTopic(topic, partitions, 1, topic_configs=KEEPS) for topic in topics])


async def delete_topics(bootstrap: str, *topics: str) -> None:
    """Returns when the broker no longer names them."""
    async with admin(bootstrap) as client:
        await client.delete_topics(list(topics))
        while not set(topics).isdisjoint(await client.list_topics()):
            await asyncio.sleep(0.05)


async def list_topics(bootstrap: str) -> list[str]:
    async with admin(bootstrap) as client:
        found: list[str] = await client.list_topics()
        return found


async def grow(bootstrap: str, topic: str, partitions: int) -> None:
    """So many partitions in all."""
    async with admin(bootstrap) as client:
        await client.create_partitions({topic: NewPartitions(partitions)})


async def delete_records(bootstrap: str, topic: str, before: int, partition: int = 0) -> None:
    """All records before this offset, as retention does."""
    async with admin(bootstrap) as client:
        await client.delete_records({TopicPartition(topic, partition): RecordsToDelete(before_offset=before)})
