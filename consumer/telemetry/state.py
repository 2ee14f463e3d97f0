"""What the service knows of itself: written by its loop, read by the sidecar's thread. No SQL is behind any of it."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition

from neon_projector.consumer.kafka.client import Member
from neon_projector.consumer.offsets.intake_stops import Stop
from neon_projector.consumer.remedies import named
from neon_projector.consumer.wording import verb

LOOP_STALLED_SECONDS = 15.0
"""Longer than any stretch of work between two beats, short enough for an orchestrator to act on."""
CHECKS = ("loop", "group", "writes", "kafka", "topics", "intake", "partitions", "lag")
"""The names of all checks of readiness, as `ready_checks` has them where they fail."""


@dataclass
class ServiceState:
    """The present state; `checks` says what is wrong with it."""

    group_id: str
    started_at: float = field(default_factory=time.time)
    last_beat: float = field(default_factory=time.monotonic)
    joined: bool = False
    trouble: str | None = None
    """What keeps the present batch from being written."""
    conflicts: dict[int, str] = field(default_factory=dict)
    """By batch, the conflict that it meets again and again."""
    kafka_trouble: str | None = None
    """What a question to Kafka failed with, and is asked again for."""
    kafka_silent: str | None = None
    """Why nothing can be read from Kafka now, as the watch sees it."""
    kafka_answered_at: float | None = None
    """Unix time of the last good answer."""
    intake_stopped: str | None = None
    stops: Sequence[Stop] = ()
    """All stops of intake in the group, and what is accepted, as the database last said it."""
    missing_topics: Collection[str] = ()
    unread: dict[TopicPartition, str] = field(default_factory=dict)
    """Partitions of our topics that nobody reads, and why."""
    members: Sequence[Member] = ()
    """The group's members, by the coordinator's last word."""
    members_at: float | None = None
    """Unix time of that word."""
    stopped_partitions: dict[TopicPartition, str] = field(default_factory=dict)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    lag: dict[TopicPartition, int] = field(default_factory=dict)
    lag_seconds: dict[TopicPartition, float] = field(default_factory=dict)
    open_transactions: dict[TopicPartition, tuple[int, float]] = field(default_factory=dict)
    """Where an open transaction holds records back: how many, and for how many seconds nothing has moved."""
    last_commit_at: float | None = None
    batches: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    """Records by outcome since the start."""
    rejected_ratio: dict[str, float] = field(default_factory=dict)
    """By topic, which part of the last records was rejected."""
    waiting: dict[str, int] = field(default_factory=dict)
    waited: Mapping[str, float] = field(default_factory=dict)
    """By what it waits for, for how many seconds the oldest had waited when it was counted."""
    letters: Mapping[str, int] = field(default_factory=dict)
    """Dead letters with the status new, by reason."""
    counted_at: float | None = None
    """Unix time at which what waits was counted last."""

    @property
    def waits(self) -> dict[str, float]:
        """By what it waits for, for how many seconds the oldest waits by now: all that was counted is still there, as
        each commit of this instance is followed by a count."""
        since = 0.0 if self.counted_at is None else max(time.time() - self.counted_at, 0.0)
        return {name: waited + since if waited else 0.0 for name, waited in self.waited.items()}

    @property
    def beat_age(self) -> float:
        """Since when, in seconds, the loop has not turned: all of this is as it was then."""
        return time.monotonic() - self.last_beat

    @property
    def known_lag(self) -> int | None:
        """Records that are not applied yet, of all partitions that are read; None while Kafka does not tell it."""
        lag = dict(self.lag)
        known = lag or (self.joined and not self.positions)
        return sum(lag.values()) if known and self.kafka_silent is None else None

    def live_checks(self) -> dict[str, str]:
        """Failed checks of liveness, by name; empty: live."""
        age = self.beat_age
        return {"loop": f"has not turned for {age:.0f} s"} if age > LOOP_STALLED_SECONDS else {}

    def ready_checks(self, max_lag_seconds: float | None) -> dict[str, str]:
        """Failed checks of readiness, by name; empty: ready."""
        failed = self.live_checks()
        if not self.joined:
            failed["group"] = "has not joined the consumer group"
        if trouble := self.trouble or next(iter(list(self.conflicts.values())), None):
            failed["writes"] = trouble
        if (kafka := self.kafka_trouble or self.kafka_silent) is not None:
            failed["kafka"] = kafka
        if self.intake_stopped is not None:
            failed["intake"] = f"stopped: {self.intake_stopped}"
        if self.missing_topics or self.unread:
            failed["topics"] = self._what_is_unread()
        if self.stopped_partitions:
            failed["partitions"] = f"{len(self.stopped_partitions)} stopped: projector offsets reset decides"
        worst = max(self.lag_seconds.values(), default=0.0)
        if max_lag_seconds is not None and worst > max_lag_seconds:
            failed["lag"] = f"{worst:.0f} s, more than READY_MAX_LAG_SECONDS"
        return failed

    def _what_is_unread(self) -> str:
        said = [f"the topic {topic} does not exist any more" for topic in sorted(self.missing_topics)]
        of = dict(self.unread)
        for why in sorted(set(of.values())):
            own = sorted(p for p, its in of.items() if its == why)
            said.append(f"{named(own)} {verb(len(own), 'is', 'are')} not read: {why}")
        return "; ".join(said)

    def summary(self) -> dict[str, Any]:
        """The body of `/status`."""
        return {
            "group_id": self.group_id,
            "uptime_seconds": round(time.time() - self.started_at, 1),
            "joined": self.joined,
            "trouble": self.trouble or self.kafka_trouble or self.kafka_silent,
            "kafka_answered_at": self.kafka_answered_at,
            "intake_stopped": self.intake_stopped,
            "last_commit_at": self.last_commit_at,
            "batches": self.batches,
            "events": dict(self.totals),
            "rejected_ratio": {topic: round(ratio, 3) for topic, ratio in self.rejected_ratio.items()},
            "waiting": dict(self.waiting),
            "missing_topics": sorted(self.missing_topics),
            "unread": {f"{p.topic}:{p.partition}": why for p, why in sorted(self.unread.items())},
            "partitions": [
                {
                    "topic": p.topic,
                    "partition": p.partition,
                    "next_offset": self.positions.get(p),
                    "lag": self.lag.get(p),
                    "lag_seconds": self.lag_seconds.get(p),
                    "stopped": self.stopped_partitions.get(p),
                    **self._open_transaction(p),
                }
                for p in sorted(set(self.positions) | set(self.lag) | set(self.stopped_partitions))
            ],
        }

    def _open_transaction(self, partition: TopicPartition) -> dict[str, float]:
        records, seconds = self.open_transactions.get(partition, (0, 0.0))
        return {"open_transaction_records": records, "open_transaction_seconds": round(seconds, 1)}
