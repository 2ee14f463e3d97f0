"""What is told without a login (health, status, metrics) names no host, port, user or database."""

from urllib.parse import urlsplit

import pytest

from neon_projector.consumer.demo.servers.ports import free_port
from tests.support.projector import eventually, running_projector
from tests.support.world import World

PATHS = ("/health/ready", "/health/live", "/health/db", "/status", "/metrics")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "nobody-knows.invalid", "[::1]", "%2Ftmp%2Fnowhere"])
async def test_no_page_names_a_database_that_does_not_answer(world: World, host: str) -> None:
    port = free_port()
    url = f"postgresql://somebody@{host}:{port}/her-database"
    told = []
    with running_projector(world.settings | {"NEON_DATABASE_URL": url}) as projector:
        eventually("it tells", lambda: '"writes"' in projector.get("/health/ready")[1])
        told += [projector.get(path)[1] for path in PATHS]
    names_nothing("\n".join(told), host.strip("[]"), str(port), "somebody", "her-database", "nowhere")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "nobody-knows.invalid", "[::1]"])
async def test_no_page_names_a_broker_that_does_not_answer(world: World, host: str) -> None:
    port = free_port()
    of_database = urlsplit(world.database_url)
    with running_projector(world.settings | {"KAFKA_BOOTSTRAP_SERVERS": f"{host}:{port}"}) as projector:
        eventually("it tells", lambda: '"kafka"' in projector.get("/health/ready")[1])
        told = "\n".join(projector.get(path)[1] for path in PATHS)
    names_nothing(told, host.strip("[]"), str(port), f":{of_database.port}", of_database.path)


def names_nothing(told: str, *names: str) -> None:
    assert "projector_db_up" in told
    for name in names:
        assert name not in told, f"{name} is told"
