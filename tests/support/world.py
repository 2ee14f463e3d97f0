"""One test's world: topics of its own, a database of its own, and clients that this project did not write."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from tests.support.factories import ARecord, a_record, a_user_event
from tests.support.servers import fetched
from tests.support.topics import create_topics


@dataclass(frozen=True)
class World:
    """Addresses and names; `settings` is the environment of a projector that lives in it."""

    bootstrap: str
    database_url: str
    users: str
    documents: str

    @classmethod
    def of_its_own(cls, bootstrap: str, database_url: str) -> "World":
        """With topics (to be created) whose names no other test has."""
        name = f"t{uuid4().hex[:8]}"
        return cls(bootstrap, database_url, f"{name}-users", f"{name}-documents")

    @property
    def topics(self) -> dict[str, str]:
        """Its topics, by the names that they have elsewhere."""
        return {"users": self.users, "documents": self.documents}

    @property
    def group(self) -> str:
        return f"group-{self.users}"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "NEON_DATABASE_URL": self.database_url,
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "KAFKA_GROUP_ID": self.group,
            "USERS_TOPIC": self.users,
            "DOCUMENTS_TOPIC": self.documents,
        }

    async def create_topics(self, partitions: int = 1) -> None:
        await create_topics(self.bootstrap, self.users, self.documents, partitions=partitions)

    async def publish(self, records: Iterable[ARecord], **producer: Any) -> list[RecordMetadata]:
        """Send records by key; their topics `users` and `documents` stand for this world's own. Returns where each
        is."""
        names = self.topics
        client = AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=5, **producer)
        await client.start()
        try:
            sent = [
                await client.send(names[r.topic], key=r.key, value=r.value, headers=list(r.headers)) for r in records
            ]
            return list(await asyncio.gather(*sent))
        finally:
            await client.stop()

    async def publish_users(self, number: int, **data: Any) -> None:
        """Send `number` events of new users."""
        await self.publish([a_record(a_user_event(**data)) for _ in range(number)])

    @asynccontextmanager
    async def locked(self, table: str) -> AsyncIterator[asyncpg.Connection]:
        """Within, nobody else gets at `table`; in the transaction of this connection."""
        connection = await asyncpg.connect(self.database_url)
        try:
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE {table}")
                yield connection
        finally:
            await connection.close()

    async def publish_raw(self, topic: str, value: bytes | None, key: bytes | None = None) -> None:
        """Send one record with any bytes as its value."""
        await self.publish([ARecord(value, key, topic=topic)])

    async def last_statement_at(self) -> datetime:
        """When anybody else began the newest statement in this database."""
        newest: datetime = await self.value(
            "SELECT max(query_start) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return newest

    async def until_quiet(self, seconds: float) -> None:
        """Wait until nobody else has begun a statement in this database for so long."""
        async with asyncio.timeout(30):
            while (datetime.now(UTC) - await self.last_statement_at()).total_seconds() < seconds:
                await asyncio.sleep(0.1)

    async def end_offsets(self) -> int:
        """The sum of all offsets of both topics, markers counted."""
        topics = (self.users, self.documents)
        async with AIOKafkaConsumer(
            *topics, bootstrap_servers=self.bootstrap, isolation_level="read_committed"
        ) as client:
            return sum((await client.end_offsets(client.assignment())).values())

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        return await fetched(self.database_url, query, *arguments)

    async def value(self, query: str, *arguments: Any) -> Any:
        rows = await self.rows(query, *arguments)
        return next(iter(rows[0].values()))

    async def until(self, query: str, expected: Any, seconds: float = 30) -> None:
        """Wait until `query`'s one value is `expected`."""
        deadline = asyncio.get_running_loop().time() + seconds
        connection = await asyncpg.connect(self.database_url, statement_cache_size=0)  # tables may change meanwhile
        try:
            while (found := await connection.fetchval(query)) != expected:
                assert asyncio.get_running_loop().time() < deadline, f"{query}: {found}, not {expected}"
                await asyncio.sleep(0.05)
        finally:
            await connection.close()

    async def until_consumed(self, records: int, seconds: float = 30) -> None:
        """Wait until the positions have moved past `records` offsets in all."""
        await self.until("SELECT coalesce(sum(next_offset), 0)::int FROM projector.offsets", records, seconds)

    async def totals(self) -> dict[str, int]:
        """What became of the records, over all partitions."""
        names = ("applied", "superseded", "parked", "rejected", "ignored", "skipped")
        sums = ", ".join(f"sum({n})::int AS {n}" for n in names)
        return (await self.rows(f"SELECT {sums} FROM projector.offsets"))[0]


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()
