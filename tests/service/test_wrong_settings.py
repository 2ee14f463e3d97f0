"""What is set wrong ends the service within seconds, with one clear line that names it."""

import time
from urllib.parse import urlsplit

import pytest

from tests.support.projector import command, eventually, running_projector
from tests.support.world import World

SECRET = "hunter2"

WRONG = {
    "no URL": ({"NEON_DATABASE_URL": ""}, 2, "NEON_DATABASE_URL is not set"),
    "another kind of database": (
        {"NEON_DATABASE_URL": f"mysql://root:{SECRET}@localhost/x"}, 2, "NEON_DATABASE_URL: names the database 'mysql'",
    ),
    "no URL at all": ({"NEON_DATABASE_URL": f"{SECRET}@nowhere"}, 2, "NEON_DATABASE_URL: is not a database URL"),
    "a pool size of zero": ({"DB_POOL_SIZE": "0"}, 2, "DB_POOL_SIZE"),
    "a pool size that is no number": ({"DB_POOL_SIZE": "many"}, 2, "DB_POOL_SIZE"),
    "no broker": ({"KAFKA_BOOTSTRAP_SERVERS": ""}, 2, "KAFKA_BOOTSTRAP_SERVERS is not set"),
    "no broker's address": ({"KAFKA_BOOTSTRAP_SERVERS": "nonsense:abc"}, 2, "KAFKA_BOOTSTRAP_SERVERS: expected host:"),
    "a broker with a protocol": (
        {"KAFKA_BOOTSTRAP_SERVERS": "PLAINTEXT://127.0.0.1:9092"}, 2, "KAFKA_BOOTSTRAP_SERVERS: expected host:port",
    ),
    "brokers with another separator": (
        {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092;127.0.0.1:9093"}, 2, "KAFKA_BOOTSTRAP_SERVERS: expected host:port",
    ),
    "a sidecar's host that is no name": ({"HTTP_HOST": "b\u00fc..c"}, 2, "HTTP_HOST: is no host name"),
    "a password missing": ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, 2, "needs KAFKA_SASL_USERNAME"),
    "certificates that are none": (
        {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CAFILE": __file__}, 2, "KAFKA_SSL_CAFILE",
    ),
    "an unknown isolation level": ({"KAFKA_ISOLATION_LEVEL": "none"}, 2, "KAFKA_ISOLATION_LEVEL"),
    "no such topic": ({"USERS_TOPIC": "nobody-made-this"}, 3, "'nobody-made-this' (USERS_TOPIC)"),
    "a secret's file that is not there": (
        {"NEON_DATABASE_URL": "", "NEON_DATABASE_URL_FILE": "/nowhere/url"}, 2, "NEON_DATABASE_URL_FILE",
    ),
    "an address that is not ours": ({"HTTP_HOST": "192.0.2.1"}, 2, "HTTP_HOST"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_a_wrong_setting_is_named_in_one_line(world: World, case: str) -> None:
    changed, status, said = WRONG[case]
    await world.create_topics()
    started = time.monotonic()
    done = command("run", settings={"HTTP_PORT": "0"} | world.settings | changed)
    assert time.monotonic() - started < 8
    assert done.returncode == status
    last = done.stderr.splitlines()[-1]
    assert last.startswith("projector: ")
    assert said in last
    assert SECRET not in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_wrong_password_or_database_is_not_waited_for(world: World) -> None:
    url = urlsplit(world.database_url)._replace(path="/nobody_made_this").geturl()
    done = command("run", settings=world.settings | {"HTTP_PORT": "0", "NEON_DATABASE_URL": url})
    assert done.returncode == 3
    assert "the database does not exist" in done.stderr.splitlines()[-1]


async def test_a_schema_that_is_not_migrated_names_the_command(world: World, empty_database: str) -> None:
    settings = world.settings | {"HTTP_PORT": "0", "NEON_DATABASE_URL": empty_database}
    done = command("run", settings=settings)
    assert (done.returncode, "projector migrate" in done.stderr.splitlines()[-1]) == (3, True)
    assert command("migrate", "--check", settings=settings).returncode == 1
    assert command("migrate", settings=settings).returncode == 0
    assert command("migrate", "--check", settings=settings).returncode == 0


async def test_a_schema_newer_than_the_service_is_only_worth_a_warning(world: World) -> None:
    await world.create_topics()
    await world.rows("UPDATE projector.alembic_version SET version_num = '9999'")
    with running_projector(world.settings) as projector:
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        assert "newer than this service" in projector.logged()


def test_the_version_is_told() -> None:
    assert command("--version", settings={}).stdout.startswith("projector 0.")
