"""A broker that gives an address as its own which is of no use here is named, with that address; in the log only."""

import asyncio
from dataclasses import replace

import pytest

from neon_projector.consumer.kafka.watch import Watch
from tests.service.test_sidecar import samples
from tests.support.kafka import LocalKafka
from tests.support.projector import command, eventually, running_projector
from tests.support.world import World

SAID = {
    "unknown": "this machine does not know the host of broker.invalid:9092, the address that a broker gives as its own",
    "spoilt": "this machine does not know the host of broker..invalid:9092, the address that a broker gives as its own",
    "closed": "this machine can't connect to 127.0.0.1:1, the address that a broker gives as its own",
}


async def test_the_watch_takes_a_name_that_no_host_can_have_for_a_broker_that_is_away(broker: LocalKafka) -> None:
    watch = Watch({"bootstrap_servers": f"127.0.0.1:{broker.misleading['spoilt']}", "client_id": "a"}, ["none"])
    assert (await watch.ask()).brokers == (("broker..invalid", 9092),)
    watch.close()
    broker.stop()
    try:
        with pytest.raises(OSError, match="not the name of a host"):
            await watch.ask()
    finally:
        broker.start()


@pytest.mark.parametrize("what", SAID)
async def test_an_address_that_a_broker_gives_and_that_is_of_no_use_is_named(
    broker: LocalKafka, database: str, what: str
) -> None:
    world = World(broker.bootstrap, database, f"{what}-users", f"{what}-documents")
    await world.create_topics()
    misled = replace(world, bootstrap=f"127.0.0.1:{broker.misleading[what]}")
    with running_projector(misled.settings) as projector:
        eventually("it is named", lambda: SAID[what] in projector.logged())
        eventually("it has tried again", lambda: samples(projector)["projector_retries_total"][("kafka",)] >= 4)
        assert projector.logged().count("gives as its own") == 1
        status, body = projector.get("/health/ready")
        assert (status, "kafka" in body) == (503, True)
        assert projector.process.poll() is None, "it waits: the address may be known later"
        told = "".join(projector.get(path)[1] for path in ("/health/ready", "/status", "/metrics"))
        assert "invalid:" not in told
        assert "127.0.0.1" not in told
    done = await asyncio.to_thread(command, "status", settings=misled.settings)
    assert done.returncode == 3, done.stderr
    assert SAID[what] in done.stderr
