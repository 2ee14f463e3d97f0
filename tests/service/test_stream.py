"""`projector demo --publish-to`: the demo's stream, on a broker that is there already."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from neon_projector.consumer.demo.servers.ports import free_port
from tests.support.projector import PROJECTOR, command, environment, running_projector
from tests.support.world import World


@pytest.fixture
def plain_world(kafka: str, database: str) -> World:
    """A world with the default topics: the stream knows no others."""
    return World(kafka, database, "users", "documents")


@contextmanager
def a_stream(bootstrap: str) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        [PROJECTOR, "demo", "--keep", "--publish-to", bootstrap], env=environment({}), stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def test_the_stream_goes_to_the_broker_named_until_it_is_stopped(plain_world: World) -> None:
    await plain_world.create_topics(partitions=3)
    with running_projector(plain_world.settings), a_stream(plain_world.bootstrap) as stream:
        assert stream.stdout is not None
        assert published(stream.stdout.readline()) > 1000
        stream.send_signal(signal.SIGTERM)
        output, _ = stream.communicate(timeout=20)
        assert stream.returncode == 0
        assert published(output.splitlines()[-1]) > 1000
        await plain_world.until_consumed(await plain_world.end_offsets())
    report = command("verify", "--json", settings=plain_world.settings)
    assert report.returncode == 0, report
    assert json.loads(report.stdout)["differences"] == []


def test_without_the_broker_it_says_so_in_one_line() -> None:
    done = command("demo", "--publish-to", f"127.0.0.1:{free_port()}", settings={})
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1, done.stderr


def published(line: str) -> int:
    (number,) = re.findall(r"^published ([0-9,]+) records, of which [0-9,]+ bad$", line)
    return int(number.replace(",", ""))
