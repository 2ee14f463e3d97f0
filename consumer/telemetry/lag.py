"""How old is what a partition has not applied? Records' own times are believed only where they can be true.

A publisher's clock may be slow or fast, a record may have no time (-1 in Kafka's protocol), or one in seconds instead
of milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition
from prometheus_client import Gauge

from neon_projector.consumer.kafka.consumer import GroupConsumer
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.state import ServiceState

EARLIEST_MS = 946_684_800_000
"""The year 2000, before there was any Kafka: a timestamp before that is no time."""


def is_known(timestamp_ms: int) -> bool:
    """Whether a record's timestamp can be the time it was made at."""
    return timestamp_ms >= EARLIEST_MS


@dataclass
class _Seen:
    value: int
    since: float
    oldest: float | None = None


class Ages:
    """Of each partition the age of its oldest record that is not applied, in seconds by the clock that is given."""

    def __init__(self) -> None:
        self._seen: dict[TopicPartition, _Seen] = {}

    def age(self, partition: TopicPartition, position: int, behind: int, oldest_ms: int | None, now: float) -> float:
        """0 where nothing is `behind`. `oldest_ms` is the oldest record's time, None: nothing is read of it now.

        A time that is unknown, or that has not come yet, says nothing: then it is since that record came next.
        """
        if behind <= 0:
            self._seen.pop(partition, None)
            return 0.0
        seen = self._seen.get(partition)
        if seen is None or seen.value != position:
            before = None if seen is None else seen.oldest
            seen = self._seen[partition] = _Seen(position, now, before)
        if oldest_ms is not None:
            seen.oldest = oldest_ms / 1000 if is_known(oldest_ms) else None
        since = seen.since if seen.oldest is None else min(seen.since, seen.oldest)
        return max(0.0, now - since)


class Unmoved:
    """For how long a number of each partition has been the same, in seconds by the clock that is given."""

    def __init__(self) -> None:
        self._seen: dict[TopicPartition, _Seen] = {}

    def seconds(self, numbers: Mapping[TopicPartition, int], now: float) -> dict[TopicPartition, float]:
        """Of these partitions; of all others nothing is remembered."""
        before, self._seen = self._seen, {}
        for partition, number in numbers.items():
            seen = before.get(partition)
            self._seen[partition] = seen if seen is not None and seen.value == number else _Seen(number, now)
        return {partition: max(0.0, now - seen.since) for partition, seen in self._seen.items()}


class PartitionGauge:
    """One metric, by topic and partition; series of partitions that are not named any more go."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._of: dict[TopicPartition, Gauge] = {}
        """Each partition's own part: to look for it by label costs much where they are hundreds."""

    def set(self, values: Mapping[TopicPartition, float]) -> None:
        for gone in self._of.keys() - values.keys():
            self._gauge.remove(gone.topic, str(gone.partition))
            del self._of[gone]
        for partition, value in values.items():
            if (own := self._of.get(partition)) is None:
                own = self._of[partition] = self._gauge.labels(partition.topic, str(partition.partition))
            own.set(value)


class Lags:
    """Keeps position and lag of each partition, and what open transactions hold back, in metrics and state."""

    def __init__(self, metrics: Metrics, state: ServiceState) -> None:
        self._state = state
        self._ages, self._unmoved = Ages(), Unmoved()
        self._lag, self._lag_seconds = PartitionGauge(metrics.lag), PartitionGauge(metrics.lag_seconds)
        self._position = PartitionGauge(metrics.position)
        self._held, self._held_seconds = PartitionGauge(metrics.open_records), PartitionGauge(metrics.open_seconds)

    def look(self, consumer: GroupConsumer, oldest: Mapping[TopicPartition, int], now: float) -> None:
        """Take over what is so now; `oldest` is of each partition the first record's time, in milliseconds."""
        state = self._state
        lag = state.lag = consumer.lag(state.positions)
        state.lag_seconds = {
            p: self._ages.age(p, state.positions.get(p, -1), behind, oldest.get(p), now) for p, behind in lag.items()
        }
        unstable = consumer.unstable()
        seconds = self._unmoved.seconds({p: stable for p, (stable, _) in unstable.items()}, now)
        state.open_transactions = {p: (records, seconds[p]) for p, (_, records) in unstable.items()}
        self._position.set(state.positions)
        self._lag.set(lag)
        self._lag_seconds.set(state.lag_seconds)
        self._held.set({p: records for p, (records, _) in state.open_transactions.items()})
        self._held_seconds.set(seconds)
