"""Keeps the metrics and the state true: after each commit, and at each beat."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Protocol

from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from neon_projector.consumer.apply.fuse import Fuse
from neon_projector.consumer.apply.oddities import UNKNOWN_TYPE
from neon_projector.consumer.apply.receipt import Receipt
from neon_projector.consumer.apply.rejection_log import RejectionLog, why
from neon_projector.consumer.batch import Batch
from neon_projector.consumer.kafka.assignment import NEED_A_POSITION
from neon_projector.consumer.kafka.consumer import GroupConsumer
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.claim import Claim
from neon_projector.consumer.offsets.intake_stops import Stop
from neon_projector.consumer.telemetry.answers import DatabaseAnswers, KafkaAnswers
from neon_projector.consumer.telemetry.backlog import Backlog
from neon_projector.consumer.telemetry.kafka_gauges import KafkaGauges
from neon_projector.consumer.telemetry.lag import Lags, is_known
from neon_projector.consumer.telemetry.metrics import INTAKE_STOPS, Metrics
from neon_projector.consumer.telemetry.odd_log import OddLog
from neon_projector.consumer.telemetry.state import ServiceState
from neon_projector.consumer.version import revision, version

_TIMESTAMP = attrgetter("record.timestamp")

BEAT_SECONDS = 0.25


class Read(Protocol):
    """What is read and not committed."""

    @property
    def oldest_timestamps(self) -> Mapping[TopicPartition, int]:
        """Of each partition the timestamp of the first record, in milliseconds."""


class Observer:
    """Watches one running service."""

    def __init__(
        self,
        engine: AsyncEngine,
        consumer: GroupConsumer,
        gauges: KafkaGauges,
        fuse: Fuse,
        metrics: Metrics,
        state: ServiceState,
    ) -> None:
        self._engine, self._consumer, self._gauges, self._fuse = engine, consumer, gauges, fuse
        self._metrics, self._state = metrics, state
        self.database, self.kafka = DatabaseAnswers(metrics, state), KafkaAnswers(metrics, state)
        self.backlog = Backlog(engine, metrics, state)
        self._rebalances_seen = 0
        self._lag = Lags(metrics, state)
        self._rejected, self._odd = RejectionLog(), OddLog()
        metrics.build_info.labels(version(), revision(), state.group_id).set(1)

    def committed(
        self, batch: Batch, receipt: Receipt, seconds: float, exemplar: Mapping[str, str] | None = None
    ) -> None:
        """A batch has been written; `exemplar`: the labels of its trace, if it has one."""
        metrics, state, now = self._metrics, self._state, time.time()
        became: dict[str, Counter[str]] = defaultdict(Counter)
        for partition, part in batch.parts.items():
            counts = receipt.totals.get(partition, Counter())
            for outcome, number in counts.items():
                became[partition.topic][outcome.value] += number
            became[partition.topic]["skipped"] += positions.skipped(part.span, counts)
            state.positions[partition] = part.span.next_offset
        self._count(became)
        self._rejections(became, receipt)
        self._odd.count(receipt.odd)
        for one in receipt.odd:
            counter = metrics.unknown_types if one.kind == UNKNOWN_TYPE else metrics.misnamed_fields
            counter.labels(one.topic, one.resembles or "none").inc(one.number)
        for outcome, number in receipt.released.items():
            metrics.released.labels(outcome.value).inc(number)
        timestamps, here = Counter(map(_TIMESTAMP, batch.decoded)), batch.collected_seconds + seconds
        fresh = ((max(0.0, now - at / 1000) if is_known(at) else here, number) for at, number in timestamps.items())
        metrics.freshness.observe_all(fresh, exemplar)  # many records share a millisecond
        metrics.batch_events.observe(len(batch.decoded))
        metrics.batch_seconds.labels("write").observe(seconds)
        metrics.batch_seconds.labels("collect").observe(batch.collected_seconds)
        metrics.batches.labels(batch.trigger).inc()
        metrics.last_commit.set(now)
        state.last_commit_at = now
        self.database.answered()
        state.batches += 1
        self.backlog.recount()

    def fenced(self) -> None:
        """A batch has changed nothing: somebody else has moved its positions or raised an epoch."""
        self._metrics.fenced.inc()

    def claimed(self, claims: Mapping[TopicPartition, Claim]) -> None:
        """Partitions are ours to read, from here."""
        self._state.positions |= {partition: claim.next_offset for partition, claim in claims.items()}
        self.backlog.recount()

    def stops_read(self, stops: Sequence[Stop]) -> None:
        """What is stopped in the group, as the database has just said."""
        self._state.stops = stops

    async def beat(self, read: Read) -> None:
        """Say that the loop turns, and how far behind is what was read, until cancelled."""
        while True:
            self._state.last_beat = time.monotonic()
            self._lags(read)
            self._gauges.look()
            self._rejected.tell(self._state.last_beat)
            self._odd.tell(self._state.last_beat)
            await asyncio.sleep(BEAT_SECONDS)

    def _lags(self, read: Read) -> None:
        metrics, state, consumer = self._metrics, self._state, self._consumer
        self._lag.look(consumer, read.oldest_timestamps, time.time())
        self._stops()
        state.rejected_ratio = dict(self._fuse.ratios())
        for topic, ratio in state.rejected_ratio.items():
            metrics.rejected_ratio.labels(topic).set(ratio)
        state.joined = consumer.joined
        metrics.rebalances.inc(consumer.rebalances - self._rebalances_seen)
        self._rebalances_seen = consumer.rebalances
        if isinstance(pool := self._engine.pool, QueuePool):
            metrics.pool_in_use.set(pool.checkedout())
            metrics.pool_idle.set(pool.checkedin())

    def _rejections(self, became: Mapping[str, Counter[str]], receipt: Receipt) -> None:
        for rejection in receipt.rejections:
            self._metrics.rejections.labels(rejection.record.topic, rejection.reason.value).inc()
        for topic, outcomes in became.items():
            new = (r for r in receipt.new if r.record.topic == topic)
            self._rejected.count(topic, outcomes.total() - outcomes["skipped"], why(new))

    def _stops(self) -> None:
        metrics, state = self._metrics, self._state
        all_reasons = {p: one.reason for p, one in self._consumer.partitions.stopped.items()}
        stopped = {p: reason for p, reason in all_reasons.items() if reason in NEED_A_POSITION}
        for gone, reason in state.stopped_partitions.items():
            if stopped.get(gone) != reason:
                metrics.partition_stopped.remove(gone.topic, str(gone.partition), reason)
        for partition, reason in stopped.items():
            metrics.partition_stopped.labels(partition.topic, str(partition.partition), reason).set(1)
        state.stopped_partitions = stopped
        by_topic: dict[str, set[str]] = defaultdict(set)
        for partition, reason in all_reasons.items() - stopped.items():
            by_topic[partition.topic].update(reason.split(", "))
        state.intake_stopped = ", ".join(sorted(set[str]().union(*by_topic.values()))) or None
        for topic in self._gauges.topics:
            for reason in INTAKE_STOPS:
                metrics.intake_stopped.labels(topic, reason).set(reason in by_topic.get(topic, ()))

    def _count(self, became: Mapping[str, Counter[str]]) -> None:
        totals = self._state.totals
        for topic, outcomes in became.items():
            for outcome, number in outcomes.items():
                if number:
                    self._metrics.events.labels(topic, outcome).inc(number)
                    totals[outcome] = totals.get(outcome, 0) + number
