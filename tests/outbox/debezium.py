"""Debezium's outbox router in Kafka Connect, with the properties of docs/examples/outbox."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import urlsplit

from tests.outbox.source import EXAMPLES
from tests.support.connect import Connect, connect_worker
from tests.support.kafka import BRIEF
from tests.support.world import World

POM = Path(__file__).with_name("pom.xml")
JVM = ("-Xmx512m", *BRIEF)
KINDS = ("binary", "cloudevents")


def worker(bootstrap: str, home: Path) -> AbstractAsyncContextManager[Connect]:
    return connect_worker(bootstrap, POM, home, *JVM)


def connectors(database_url: str, worlds: dict[str, World]) -> dict[str, dict[str, str]]:
    """One by kind, each with a slot of its own, which fills the topics of its world."""
    return {kind: _properties(kind, database_url, world) for kind, world in worlds.items()}


def heartbeats(kind: str, world: World) -> str:
    """The topic of heartbeats. Kafka does not create it by itself here."""
    return f"{world.users}-heartbeat.{kind}"


def _properties(kind: str, database_url: str, world: World) -> dict[str, str]:
    """As they stand in the documents; only addresses and names are other ones."""
    lines = (EXAMPLES / f"debezium-{kind}.properties").read_text().splitlines()
    read = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    del read["database.password"]
    if pattern := read.get("predicates.row.pattern"):  # in a properties file a backslash stands twice
        read["predicates.row.pattern"] = pattern.replace("\\\\", "\\").replace("source", kind)
    address = urlsplit(database_url)
    return read | {
        "name": kind,
        "database.hostname": str(address.hostname),
        "database.port": str(address.port),
        "database.user": str(address.username),
        "database.dbname": address.path[1:],
        "topic.prefix": kind,
        "slot.name": f"outbox_{kind}",
        "heartbeat.interval.ms": "200",
        "topic.heartbeat.prefix": heartbeats(kind, world).removesuffix(f".{kind}"),
        "transforms.outbox.route.topic.replacement": world.users.removesuffix("users") + "${routedByValue}",
    }
