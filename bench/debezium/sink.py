"""How Debezium's sink is set up, and how it is measured."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.check import differences
from bench.debezium.connect import connect_worker
from bench.events import Mix
from bench.flat import flat, schema
from bench.publish import publish
from bench.watch import Measured, Watch
from tests.support.world import World

if TYPE_CHECKING:
    from bench.__main__ import Bench

NO_ORDER = "ALTER TABLE documents DROP CONSTRAINT fk_documents_user_id_users"
"""Between topics: a document may come before its user."""
TASKS = 2
"""For each of the two sinks, one per table: the schema belongs to the sink."""
SINK = {
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
    "tasks.max": str(TASKS),
    "insert.mode": "upsert",
    "primary.key.mode": "record_value",
    "primary.key.fields": "id",
    "schema.evolution": "none",
    "use.time.zone": "UTC",
    "use.reduction.buffer": "true",
    "dialect.postgres.unnest.insert.enabled": "true",
    "batch.size": "5000",
    "consumer.override.max.poll.records": "5000",
    "consumer.override.auto.offset.reset": "earliest",
    "consumer.override.fetch.min.bytes": "262144",
    "consumer.override.max.partition.fetch.bytes": "4194304",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "true",
}


async def drain_by_debezium(bench: "Bench", mix: Mix, warm_up: Mix) -> Measured:
    """Drain `mix` by a worker that has drained `warm_up` into another database: its code is compiled."""
    async with bench.world() as other, bench.world() as world:
        for where, what in ((other, warm_up), (world, mix)):
            await where.rows(NO_ORDER)
            await publish(where.bootstrap, {"users": where.users, "documents": where.documents}, flat(what.events()))
        await world.rows("CHECKPOINT")
        async with connect_worker(world.bootstrap) as connect:
            watch = Watch(connect.process.pid, bench.postgres.pid, bench.kafka.pid, connect.failed)
            for where, what in ((other, warm_up), (world, mix)):
                await connect.start(_sinks(where))
                measured = await watch.drain(where, what.total)
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
