"""A broker that refuses us ends the service with a line that names the setting; one that is away is waited for."""

import asyncio
import ssl
from collections.abc import Iterator

import pytest

from tests.support.certificates import Certificates
from tests.support.kafka import SASL_PASSWORD, SASL_USER, LocalKafka, local_kafka
from tests.support.projector import command, eventually, running_projector
from tests.support.world import World


@pytest.fixture(scope="module")
def broker() -> Iterator[LocalKafka]:
    with local_kafka() as kafka:
        yield kafka


@pytest.fixture
def settings(broker: LocalKafka, database: str) -> dict[str, str]:
    world = World(f"127.0.0.1:{broker.sasl_port}", database, "login-users", "login-documents")
    return world.settings | {
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_USERNAME": SASL_USER,
        "KAFKA_SASL_PASSWORD": SASL_PASSWORD,
        "HTTP_PORT": "0",
    }


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"KAFKA_SASL_PASSWORD": "hunter2"}, "KAFKA_SASL_PASSWORD"),
        ({"KAFKA_SASL_USERNAME": "hunter2"}, "KAFKA_SASL_PASSWORD"),
        ({"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"}, "KAFKA_SASL_MECHANISM=SCRAM-SHA-256"),
    ],
)
def test_what_the_broker_refuses_is_named_in_one_line(
    settings: dict[str, str], wrong: dict[str, str], named: str
) -> None:
    done = command("run", settings=settings | wrong, timeout=20)
    assert done.returncode == 3
    last = done.stderr.splitlines()[-1]
    assert last.startswith("projector: ")
    assert named in last
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
    for words in (["status"], ["offsets", "show"]):  # two clients of the library, which say it in different ways
        asked = command(*words, settings=settings | wrong, timeout=20)
        assert asked.returncode == 3
        assert named.partition("=")[0] in asked.stderr.splitlines()[-1], "a command says what the service says"


def test_the_right_password_gets_as_far_as_the_topics(settings: dict[str, str]) -> None:
    done = command("run", settings=settings, timeout=20)
    assert done.returncode == 3
    assert "'login-users' (USERS_TOPIC)" in done.stderr.splitlines()[-1]


def test_a_broker_that_is_away_is_waited_for_and_then_judged(settings: dict[str, str], broker: LocalKafka) -> None:
    broker.stop()
    with running_projector(settings | {"KAFKA_SASL_PASSWORD": "hunter2"}) as projector:
        eventually("it waits", lambda: "Kafka does not answer" in projector.logged())
        broker.start()
        assert projector.process.wait(30) == 3
        assert "KAFKA_SASL_PASSWORD" in projector.logged().splitlines()[-1]


async def test_a_certificate_that_is_not_trusted_is_named(settings: dict[str, str], certificates: Certificates) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server, certificates.key)
    listener = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    port = listener.sockets[0].getsockname()[1]
    wrong = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_BOOTSTRAP_SERVERS": f"localhost:{port}"}
    done = await asyncio.to_thread(command, "run", settings=settings | wrong, timeout=20)
    listener.close()
    assert done.returncode == 3
    assert "KAFKA_SSL_CAFILE" in done.stderr.splitlines()[-1]
    assert SASL_PASSWORD not in done.stderr
