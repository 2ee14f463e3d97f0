"""What operators and their tools are told over HTTP."""

import asyncio
import json
import time
from importlib.metadata import version

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bench.events import Mix
from bench.publish import publish
from tests.support.documents import metrics_of_the_design
from tests.support.projector import Projector, eventually, running_projector
from tests.support.promtool import promtool
from tests.support.world import World


async def test_a_caught_up_service_is_live_ready_and_says_so(world: World) -> None:
    await world.create_topics(partitions=2)
    await world.publish_users(7)
    with running_projector(world.settings | {"PROJECTOR_REVISION": "4f2a91c"}) as projector:
        await world.until_consumed(7)
        for path in ("/health/live", "/health/ready", "/health/db"):
            _, body = eventually(f"{path} is fine", lambda path=path: fine(projector.get(path)))
            assert json.loads(body) == {"status": "ok", "failed": {}}
        status_body = eventually("lag is told", lambda: caught_up(projector))
    assert status_body["events"] == {"applied": 7}
    assert len(status_body["partitions"]) == 4
    assert (status_body["version"], status_body["revision"]) == (version("neon-projector"), "4f2a91c")


async def test_every_metric_of_the_design_is_there_and_0_when_caught_up(world: World) -> None:
    await world.create_topics(partitions=2)
    await world.publish_users(7)
    await world.publish_raw("users", b"not json")
    bad = ("invalid_json",)
    with running_projector(world.settings) as projector:
        await world.until_consumed(8)
        eventually("it is caught up", lambda: caught_up(projector))
        eventually("the dead letter is counted", lambda: samples(projector)["projector_dead_letters"].get(bad) == 1.0)
        eventually("Kafka names one member", lambda: samples(projector)["projector_group_members"] == {(): 1.0})
        eventually("each check passes", lambda: set(samples(projector)["projector_healthy"].values()) == {1.0})
        eventually("hints are taken", lambda: samples(projector)["projector_hints_stale_seconds"] == {(): 0.0})
        told = samples(projector)
        text = projector.get("/metrics")[1]
        helped = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    assert promtool("check", "metrics", given=text) == ""
    assert set(metrics_of_the_design()) <= helped
    assert set(told["projector_consumer_lag"].values()) == {0.0}
    assert set(told["projector_consumer_lag_seconds"].values()) == {0.0}
    events = {key: value for key, value in told["projector_events_total"].items() if value}
    assert events == {("applied", world.users): 7.0, ("rejected", world.users): 1.0}
    assert told["projector_events_total"][("rejected", world.documents)] == 0.0
    assert sum(told["projector_position"].values()) == 8.0
    assert told["projector_rejections_total"] == {("invalid_json", world.users): 1.0}
    assert told["projector_event_freshness_seconds_count"] == {(): 8.0}
    assert told["projector_db_up"] == {(): 1.0}
    assert {key for key, value in told["projector_dead_letters"].items() if value} == {bad}
    nothing = {("parent",): 0.0, ("version",): 0.0, ("unique",): 0.0, ("operator",): 0.0}
    assert told["projector_parked_events"] == told["projector_oldest_parked_seconds"] == nothing


async def test_readiness_names_the_check_that_fails_while_liveness_stays(world: World) -> None:
    await world.create_topics()
    with running_projector(world.settings | {"READY_MAX_LAG_SECONDS": "0.5"}) as projector:
        eventually("it is ready", lambda: fine(projector.get("/health/ready")))
        async with world.locked("users"):
            await world.publish_users(1)
            _, body = eventually("not ready", lambda: unavailable(projector.get("/health/ready")))
            assert "lag" in json.loads(body)["failed"]
            assert projector.get("/health/live")[0] == 200
        eventually("ready again", lambda: fine(projector.get("/health/ready")))


@pytest.mark.alone
async def test_promise_8_it_answers_within_100_ms_while_a_backlog_drains(world: World) -> None:
    mix = Mix(users=30_000, documents=60_000, updates=60_000)
    await world.create_topics(partitions=4)
    await publish(world.bootstrap, world.topics, mix.events())
    took = []
    with running_projector(world.settings) as projector:
        eventually("the drain has begun", lambda: projector.status().get("batches", 0) > 0)
        while projector.status()["events"].get("applied", 0) + 10_000 < mix.total:
            for path in ("/health/live", "/health/ready", "/status", "/metrics"):
                started = time.perf_counter()
                assert projector.get(path)[0] in (200, 503)
                took.append(time.perf_counter() - started)
            await asyncio.sleep(0.01)
    took.sort()
    assert len(took) > 100
    p99 = took[int(len(took) * 0.99)]
    assert p99 < 0.1, f"p99 {p99 * 1000:.0f} ms of {len(took)} answers"


async def test_promise_5_6_idle_means_no_sql(world: World) -> None:
    await world.create_topics()
    await world.publish_users(1)
    with running_projector(world.settings) as projector:
        await world.until_consumed(1)
        await world.until_quiet(seconds=2)  # the last count of what waits follows the last commit
        before = await world.last_statement_at()
        for path in ("/metrics", "/health/live", "/health/ready", "/status") * 5:
            assert projector.get(path)[0] == 200
        await asyncio.sleep(3)  # the promise is about time in which nothing happens
        assert await world.last_statement_at() == before
        assert projector.get("/health/db")[0] == 200
        assert await world.last_statement_at() > before


def fine(answer: tuple[int, str]) -> tuple[int, str] | None:
    return answer if answer[0] == 200 else None


def unavailable(answer: tuple[int, str]) -> tuple[int, str] | None:
    return answer if answer[0] == 503 else None


def caught_up(projector: Projector) -> dict[str, object] | None:
    status = projector.status()
    partitions = status.get("partitions", [])
    return status if partitions and all(p["lag"] == 0 for p in partitions) else None


def samples(projector: Projector) -> dict[str, dict[tuple[str, ...], float]]:
    """Each sample's values by the values of its labels, in the order of the labels' names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(projector.get("/metrics")[1]):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                found.setdefault(sample.name, {})[tuple(value for _, value in sorted(sample.labels.items()))] = (
                    sample.value
                )
    return found
