"""Batches that are small as a publisher sends them, and huge once they are unpacked."""

import json
import shlex

import pytest

from tests.service.test_memory import peak_megabytes
from tests.service.test_unreadable import told, users
from tests.support.projector import command, eventually, running_projector
from tests.support.raw_kafka import GZIP, ZSTD, a_batch, a_bomb, raw_producer
from tests.support.world import World

BOUND_MB = 230
HUGE = 400_000_000


@pytest.mark.parametrize(
    ("size", "codec", "headers"),
    [(HUGE, ZSTD, False), (20_000_000, GZIP, True)],
    ids=["a-value", "headers"],
)
async def test_a_batch_that_unpacks_to_more_than_there_is_room_for_stops_its_partition_alone(
    world: World, size: int, codec: int, headers: bool
) -> None:
    await world.create_topics(partitions=2)
    async with raw_producer(world.bootstrap, users=world.users) as producer:
        await producer.send("users", a_batch(users(2)))
        await producer.send("users", a_bomb(size, codec, headers))
        await producer.send("users", a_batch(users(3), codec & GZIP))
        await producer.send("users", a_batch(users(5)), 1)
        with running_projector(world.settings, afresh=True) as projector:
            eventually("it is told", lambda: told(projector) or projector.process.poll() is not None, 60)
            await world.until("SELECT count(*)::int FROM users", 2 + 5)
            (line,) = told(projector)
            assert (line["partition"], line["position"]) == (0, 2)
            _, _, step_over = line["message"].partition("projector ")
            assert step_over.endswith("--to-offset 3")
            assert command(*shlex.split(step_over), "--execute", "--yes", settings=world.settings).returncode == 0
            await world.until("SELECT count(*)::int FROM users", 2 + 5 + 3)
            eventually("all is well again", lambda: projector.get("/health/ready")[0] == 200)
            peak = peak_megabytes(projector.process.pid)
            assert projector.terminate() == 0
    assert peak < BOUND_MB, f"{peak} MB"
    verified = command("verify", settings=world.settings)
    assert f"{world.users}:0: the records from offset 2 to 2 can't be read" in verified.stdout
    assert json.loads(command("status", "--json", settings=world.settings).stdout)["partitions"]
