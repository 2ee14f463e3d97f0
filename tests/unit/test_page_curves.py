"""The samples behind the page's curves: what a point tells, and that they take no more memory with time."""

import math
import tracemalloc

import pytest

from neon_projector.consumer.telemetry.metrics import FRESHNESS_BUCKETS, Metrics
from neon_projector.consumer.telemetry.page.quantile import quantile
from neon_projector.consumer.telemetry.page.ring import Ring
from neon_projector.consumer.telemetry.page.sampler import CURVES, Sampler
from neon_projector.consumer.telemetry.state import ServiceState

KEPT_BYTES = 200_000


def test_a_ring_gives_what_is_new_and_forgets_what_is_oldest() -> None:
    ring = Ring(["a", "b"], size=3)
    assert ring.since(0) == {"a": [], "b": []}
    for value in range(5):
        ring.add({"a": value, "b": -value})
    assert ring.since(4) == {"a": [4.0], "b": [-4.0]}
    assert ring.since(5) == {"a": [], "b": []}
    assert ring.since(0)["a"] == ring.since(1)["a"] == [2.0, 3.0, 4.0]


@pytest.mark.parametrize("strange", [-1, 99, 2**70])
def test_who_asks_for_what_never_was_gets_all_that_is_left(strange: int) -> None:
    ring = Ring(["a"], size=3)
    ring.add({})
    (value,) = ring.since(strange)["a"]
    assert math.isnan(value)


def test_its_memory_does_not_grow() -> None:
    state, metrics = ServiceState("group"), Metrics(["users"])
    sampler = Sampler(state, metrics)

    def take(seconds: range) -> None:
        for second in seconds:
            state.totals["applied"] = second
            metrics.freshness.observe_all([(0.01, 3)])
            sampler.take(float(second))

    tracemalloc.start()
    try:
        take(range(2_000))
        before, _ = tracemalloc.get_traced_memory()
        take(range(2_000, 6_000))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
    assert sampler.ring.bytes == 900 * 8 * len(CURVES) < KEPT_BYTES


def test_a_quantile_is_what_prometheus_says() -> None:
    bounds = (1.0, 2.0, 4.0)
    assert math.isnan(quantile(0.5, bounds, [0, 0, 0, 0]))
    assert quantile(0.5, bounds, [0, 10, 0, 0]) == 1.5
    assert quantile(0.75, bounds, [5, 0, 5, 0]) == 3.0
    assert quantile(0.99, bounds, [0, 0, 0, 1]) == 4.0


def test_a_point_tells_of_the_seconds_before_it() -> None:
    state, metrics = ServiceState("group"), Metrics(["users"])
    sampler = Sampler(state, metrics)
    sampler.take(0)
    state.totals = {"applied": 300, "rejected": 1}
    metrics.freshness.observe_all([(0.015, 300)])
    sampler.take(2)
    now = {name: column[-1] for name, column in sampler.ring.since(0).items()}
    assert (now["t"], now["applied"], now["rejected"], now["parked"]) == (2, 150, 0.5, 0)
    assert 0.01 < now["p50"] < now["p99"] < 0.02
    for second in range(3, 20):
        sampler.take(second)
    now = {name: column[-1] for name, column in sampler.ring.since(0).items()}
    assert now["applied"] == 0
    assert math.isnan(now["p50"])  # nothing in the last ten seconds
    assert sampler.freshness().p50 < 0.02  # but in the last minute
    assert sampler.rates()["applied"] == 0


def test_the_lag_is_unknown_while_kafka_does_not_tell_it() -> None:
    state = ServiceState("group", joined=True)
    sampler = Sampler(state, Metrics(["users"]))
    sampler.take(0)
    state.kafka_silent = "no broker"
    sampler.take(1)
    assert sampler.ring.since(0)["lag"][0] == 0
    assert math.isnan(sampler.ring.since(1)["lag"][0])
    assert len(FRESHNESS_BUCKETS) == len(Metrics().freshness.counts()) - 1
