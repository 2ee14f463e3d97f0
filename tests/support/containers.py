"""Broker and database in containers, as like our own servers as can be."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from tests.support.kafka import PROPERTIES, START_SECONDS

KAFKA_IMAGE = "apache/kafka:4.1.0"
POSTGRES_IMAGE = "postgres:18"
BROKER, CONTROLLER = 9092, 9093
TOLD = "/tmp/told"


@contextmanager
def kafka_container() -> Iterator[str]:
    """Start a broker; its `host:port`. testcontainers' own class knows other distributions of Kafka only.

    The broker tells its clients where it is, and that is known only when its container runs: it waits to be told.
    """
    command = ["bash", "-c", f"until [ -s {TOLD} ]; do sleep 0.1; done; . {TOLD}; exec /etc/kafka/docker/run"]
    with DockerContainer(KAFKA_IMAGE, env=kafka_variables(), ports=[BROKER]).with_command(command) as container:
        address = f"{container.get_container_host_ip()}:{container.get_exposed_port(BROKER)}"
        told = f"export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://{address}"
        container.exec(["bash", "-c", f"echo {told} > {TOLD}.new && mv {TOLD}.new {TOLD}"])
        started = LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(START_SECONDS)
        started.wait_until_ready(container)
        yield address


@contextmanager
def postgres_container(options: Sequence[str]) -> Iterator[str]:
    """Start a server with `options` (`name=value`); the URL of its database."""
    command = ["postgres", *(f"-c{option}" for option in options)]
    with PostgresContainer(POSTGRES_IMAGE, driver=None).with_command(command) as container:
        yield f"{container.get_connection_url()}?sslmode=disable"  # its host need not be called localhost


def kafka_variables() -> dict[str, str]:
    """The image's variables for the properties of `local_kafka`: `log.retention.ms` is KAFKA_LOG_RETENTION_MS."""
    lines = PROPERTIES.format(controller=CONTROLLER, home="/tmp/kafka").split()
    properties = dict(line.split("=", 1) for line in lines)
    properties["listener.security.protocol.map"] = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
    properties["listeners"] = f"PLAINTEXT://:{BROKER},CONTROLLER://127.0.0.1:{CONTROLLER}"
    return {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in properties.items()}
