"""How Debezium's sink is set up, and how it is measured."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.check import differences
from bench.events import Mix
from bench.flat import flat, schema
from bench.publish import publish
from bench.watch import Measured, Watch
from tests.support.connect import Connect, connect_worker
from tests.support.world import World

if TYPE_CHECKING:
    from bench.servers import Bench

POM = Path(__file__).with_name("pom.xml")
JVM = ("-Xms1g", "-Xmx2g", "-XX:+UseSerialGC", "-Duser.timezone=UTC")
NO_ORDER = "ALTER TABLE documents DROP CONSTRAINT fk_documents_user_id_users"
"""Between topics: a document may come before its user."""
SINK = {
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
    "tasks.max": "2",
    "insert.mode": "upsert",
    "primary.key.mode": "record_value",
    "primary.key.fields": "id",
    "schema.evolution": "none",
    "use.time.zone": "UTC",
    "use.reduction.buffer": "true",
    "dialect.postgres.unnest.insert.enabled": "true",
    "batch.size": "5000",  # of one poll: what is left of it is written at its end
    "consumer.override.max.poll.records": "5000",
    "consumer.override.auto.offset.reset": "earliest",
    "consumer.override.max.partition.fetch.bytes": "4194304",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "true",
}
"""What was fastest of what was tried, on two cores; there is one sink for each table, since it knows one schema."""


async def drain_by_debezium(bench: "Bench", mix: Mix, first: Mix) -> tuple[Measured, Measured]:
    """How a new worker drains `first` into another database, and then `mix`, when its code is compiled."""
    async with bench.world() as other, bench.world() as world:
        parts = ((other, first), (world, mix))
        for where, what in parts:
            await where.rows(NO_ORDER)
            await publish(where.bootstrap, where.topics, flat(what.events()))
        await world.rows("CHECKPOINT")
        with TemporaryDirectory() as home:
            async with connect_worker(world.bootstrap, POM, Path(home), *JVM) as connect:
                watch = Watch(connect.process.pid, bench.postgres.pid, bench.kafka.pid, connect.failed)
                cold, warm = [await _drain(connect, watch, where, what) for where, what in parts]
    return cold, warm


async def _drain(connect: Connect, watch: Watch, world: World, mix: Mix) -> Measured:
    await connect.start(_sinks(world))
    measured = await watch.drain(world, mix.total)
    await connect.stop()
    assert await differences(world.database_url, mix.truth) == 0, "the tables are wrong"
    return measured


def _sinks(world: World) -> dict[str, dict[str, Any]]:
    """By name, one for each table."""
    address = urlsplit(world.database_url)
    database = {
        "connection.url": f"jdbc:postgresql://{address.hostname}:{address.port}{address.path}",
        "connection.username": address.username or "",
    }
    return {
        topic: {
            **SINK,
            **database,
            "topics": topic,
            "collection.name.format": table,
            "value.converter.schema.content": json.dumps(schema(table)),
        }
        for table, topic in (("users", world.users), ("documents", world.documents))
    }
