"""What an instance may know of itself, by the names of its states: for what is hard to bring about on a real one."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

from aiokafka import TopicPartition

from neon_projector.consumer.kafka.client import Member
from neon_projector.consumer.offsets.intake_stops import ALL, PAUSED, Stop
from neon_projector.consumer.settings import Settings
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.page.routes import Page
from neon_projector.consumer.telemetry.state import ServiceState

SETTINGS = Settings.model_validate(
    {
        "neon_database_url": "postgresql://owner:a-secret@localhost/neondb",
        "kafka_bootstrap_servers": "kafka-1:9092,kafka-2:9092",
        "kafka_sasl_username": "somebody",
        "kafka_sasl_password": "a-secret",
        "batch_max_events": 2_000,
        "ready_max_lag_seconds": 60,
        "topics": {"users_topic": "users", "documents_topic": "documents"},
    }
)
NOW = time.time()
SECONDS = 900
EACH = 4
"""Partitions of each topic that are ours; as many are another instance's."""

LEFT = 2_104_000
"""Records to go in a drain."""
HELD, A_SECOND = 35_000, 140
"""Records that wait where nothing is applied any more, and how many more come each second."""

PARTITIONS = [TopicPartition(topic, n) for topic in ("documents", "users") for n in range(EACH)]
OTHERS = [TopicPartition(p.topic, p.partition + EACH) for p in PARTITIONS]


def a_state() -> ServiceState:
    """Of an instance that has nothing to do, one of two in its group."""
    state = ServiceState("neon-projector", started_at=NOW - 93_000, joined=True, kafka_answered_at=NOW)
    state.positions = {p: 120_400 + 1_117 * p.partition for p in PARTITIONS}
    state.lag, state.lag_seconds = dict.fromkeys(PARTITIONS, 0), dict.fromkeys(PARTITIONS, 0.0)
    state.totals = {"applied": 962_000, "superseded": 1_204, "parked": 310, "rejected": 2, "ignored": 0}
    state.waiting = {"parent": 3, "version": 0, "contested": 1, "refused": 0, "hidden": 12, "dead_letters": 2}
    state.waited = {"parent": 312.0, "contested": 80_000.0, "hidden": 200_000.0}
    state.letters = {"invalid_email": 1, "invalid_json": 1}
    state.counted_at = NOW - 12
    state.last_commit_at = NOW - 1
    state.members_at = NOW - 2
    state.members = (
        Member("neon-projector-5f2c", "10.0.3.17", True, frozenset(PARTITIONS)),
        Member("neon-projector-a81d", "10.0.3.21", False, frozenset(OTHERS)),
    )
    return state


def behind(state: ServiceState, records: int) -> None:
    """So many records are not applied yet, in all."""
    state.lag = {p: records // len(PARTITIONS) + 371 * (2 * p.partition - EACH + 1) for p in PARTITIONS}
    state.lag_seconds = {p: 242.0 - 7 * p.partition for p in PARTITIONS}


def draining(state: ServiceState) -> None:
    """A backlog is worked off."""
    behind(state, LEFT)


def database_away(state: ServiceState) -> None:
    """The database does not answer, for four minutes."""
    behind(state, HELD)
    state.trouble = "the database does not answer: connection refused"


def paused(state: ServiceState) -> None:
    """An operator has paused all topics, four minutes ago."""
    behind(state, HELD)
    since = datetime.fromtimestamp(time.time() - 250, UTC)
    state.stops = (Stop(ALL, ALL, PAUSED, "somebody", since, "a secret plan", None, 0.0, ()),)
    state.intake_stopped = "paused"


def partition_stopped(state: ServiceState) -> None:
    """Kafka no longer has the position of one partition, and nobody reads another one."""
    gone = PARTITIONS[-1]
    state.stopped_partitions = {gone: "position_not_in_topic"}
    del state.lag[gone], state.lag_seconds[gone]


def nothing_yet(state: ServiceState) -> None:
    """It has just started, and nothing has ever come."""
    state.started_at = time.time() - 3
    state.positions, state.lag, state.lag_seconds = {}, {}, {}
    state.waiting, state.waited, state.letters, state.counted_at = {}, {}, {}, None
    state.members, state.members_at, state.last_commit_at, state.totals = (), None, None, {}
    state.joined = False


def idle(state: ServiceState) -> None:
    """As it is."""


STATES: dict[str, Callable[[ServiceState], None]] = {
    "idle": idle,
    "draining": draining,
    "paused": paused,
    "database_away": database_away,
    "partition_stopped": partition_stopped,
    "nothing_yet": nothing_yet,
}


def a_page(name: str, settings: Settings = SETTINGS) -> tuple[ServiceState, Metrics, Page]:
    """The page of an instance in that state, with a quarter of an hour behind it."""
    state, metrics = a_state(), Metrics(("users", "documents"))
    page = Page(state, metrics, settings)
    if name == "nothing_yet":
        nothing_yet(state)
        page.sampler.take(time.time())
        return state, metrics, page
    now = time.time()
    for second in range(SECONDS):
        _a_second(state, metrics, second, name)
        page.sampler.take(now - SECONDS + second)
    state.lag = dict.fromkeys(PARTITIONS, 0)
    state.last_commit_at = state.kafka_answered_at = time.time()
    state.counted_at, state.members_at = time.time() - 12, time.time() - 2
    STATES[name](state)
    return state, metrics, page


def _a_second(state: ServiceState, metrics: Metrics, second: int, name: str) -> None:
    late = second - SECONDS + HELD // A_SECOND
    left = max(0, late * A_SECOND) if name in ("paused", "database_away") else 6 * (second % 61 == 0)
    busy = A_SECOND + 60 * math.sin(second / 90) + 25 * math.sin(second / 7)
    if name == "draining" and late > 0:
        left = LEFT + (SECONDS - second) * 19_000
        state.totals["applied"] += int(19_000 + 900 * math.sin(second / 5))
        metrics.freshness.observe_all([(240.0, 19_000), (500.0, 700)])
    elif left < 10:
        state.totals["applied"] += int(busy)
        state.totals["superseded"] += second % 7
        state.totals["rejected"] += second % 41 == 0
        slow = 0.012 + 0.006 * math.sin(second / 60)
        metrics.freshness.observe_all([(slow, int(busy)), (slow * 3, 3)])
    state.lag = dict.fromkeys(PARTITIONS, left // len(PARTITIONS))
    if left < 10:
        state.lag[PARTITIONS[0]] = left
