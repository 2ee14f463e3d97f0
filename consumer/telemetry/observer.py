"""Keeps the metrics and the state true: after each commit, at each beat, and by counting what waits."""

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from operator import attrgetter

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from neon_projector.consumer.apply.rejected import RejectionLog, why
from neon_projector.consumer.apply.transaction import Receipt
from neon_projector.consumer.batch import Batch, Claim
from neon_projector.consumer.errors import Conflict, ProjectorError, TransientError
from neon_projector.consumer.kafka.assignment import STOPPED
from neon_projector.consumer.kafka.consumer import GroupConsumer
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.telemetry.kafka_gauges import KafkaGauges
from neon_projector.consumer.telemetry.lag import Lags, is_known
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.state import ServiceState
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.waiting import DEAD_LETTERS

log = logging.getLogger(__name__)

Oldest = Callable[[], dict[TopicPartition, int]]
"""Tells of each partition the timestamp of the first record that is not committed, in milliseconds."""

Ratios = Callable[[], Mapping[str, float]]
"""Tells by topic which part of its last records were rejected."""

_TIMESTAMP = attrgetter("record.timestamp")

INTAKE_STOPS = ("paused", "fuse")
"""All reasons for which intake can be stopped."""
BEAT_SECONDS = 0.25
COUNT_PAUSE_SECONDS = 1.0
"""At most so often is it counted what waits; a commit is always followed by one count."""
COUNT_SHARE = 0.05
"""At most this part of the time is spent counting, where much waits."""

_COUNT = text(f"""
    SELECT count(*) FILTER (WHERE reason = 'no_parent') AS parent,
        count(*) FILTER (WHERE reason = 'contested') AS contested,
        count(*) FILTER (WHERE reason = 'parent_deleted') AS hidden,
        count(*) FILTER (WHERE reason = 'refused') AS refused,
        (SELECT count(*) FROM {CONTROL_SCHEMA}.parked_events) AS version,
        (SELECT count(*) FROM {DEAD_LETTERS} WHERE status = 'new') AS dead_letters,
        coalesce(extract(epoch FROM now() - least(
            min(since) FILTER (WHERE reason IN ('no_parent', 'contested', 'refused')),
            (SELECT min(since) FROM {CONTROL_SCHEMA}.parked_events))), 0) AS oldest
    FROM {CONTROL_SCHEMA}.absent_states""")


class Observer:
    """Watches one running service."""

    def __init__(
        self,
        engine: AsyncEngine,
        source: GroupConsumer,
        kafka: KafkaGauges,
        oldest: Oldest,
        ratios: Ratios,
        metrics: Metrics,
        state: ServiceState,
    ) -> None:
        self._engine, self._source, self._kafka, self._oldest, self._ratios = engine, source, kafka, oldest, ratios
        self._metrics, self._state = metrics, state
        self._to_count = asyncio.Event()
        self._rebalances_seen = 0
        self._lag = Lags(metrics, state)
        self._rejected = RejectionLog()

    def committed(self, batch: Batch, receipt: Receipt, seconds: float) -> None:
        """A batch has been written."""
        metrics, state, now = self._metrics, self._state, time.time()
        became: dict[str, Counter[str]] = defaultdict(Counter)
        for partition, span in batch.spans.items():
            counts = receipt.totals.get(partition, Counter())
            for outcome, number in counts.items():
                became[partition.topic][outcome.value] += number
            became[partition.topic]["skipped"] += positions.skipped(span, counts)
            state.positions[partition] = span.next_offset
        self._count(became)
        self._rejections(became, receipt)
        for outcome, number in receipt.released.items():
            metrics.released.labels(outcome.value).inc(number)
        timestamps, here = Counter(map(_TIMESTAMP, batch.decoded)), batch.collected_seconds + seconds
        metrics.freshness.observe_all(  # many records share a millisecond
            (max(0.0, now - at / 1000) if is_known(at) else here, number) for at, number in timestamps.items()
        )
        metrics.batch_events.observe(len(batch.decoded))
        metrics.batch_seconds.labels("write").observe(seconds)
        metrics.batch_seconds.labels("collect").observe(batch.collected_seconds)
        metrics.batches.labels(batch.trigger).inc()
        metrics.last_commit.set(now)
        state.last_commit_at = now
        self.answered()
        state.batches += 1
        self.recount()

    def claimed(self, claims: Mapping[TopicPartition, Claim]) -> None:
        """Partitions are ours to read, from here."""
        self._state.positions |= {partition: claim.next_offset for partition, claim in claims.items()}
        self.recount()

    def recount(self) -> None:
        """Count soon what waits in the database."""
        self._to_count.set()

    def answered(self) -> None:
        """The database answers."""
        self._metrics.db_up.set(1)
        self._state.trouble = None

    def troubled(self, trouble: TransientError) -> None:
        """The database has failed us, and will be asked again."""
        self._metrics.retries.labels(trouble.reason).inc()
        if not isinstance(trouble, Conflict):  # then it answers, and is about to take it
            self._metrics.db_up.set(0)
            self._state.trouble = str(trouble)

    def lasts(self, batch: Batch, conflict: Conflict) -> None:
        """A batch meets conflicts again and again. Others may be written meanwhile: this one is not."""
        if id(batch) not in self._state.conflicts:
            log.warning("a batch can't be written, conflict after conflict", extra={"error": str(conflict)})
        self._state.conflicts[id(batch)] = str(conflict)

    def written(self, batch: Batch) -> None:
        """A batch is written, or given up."""
        self._state.conflicts.pop(id(batch), None)

    def kafka_answered(self) -> None:
        self._state.kafka_trouble = None

    def kafka_troubled(self, trouble: TransientError) -> None:
        self._metrics.retries.labels(trouble.reason).inc()
        self._state.kafka_trouble = str(trouble)

    async def beat(self) -> None:
        """Say that the loop turns, until cancelled."""
        while True:
            self._state.last_beat = time.monotonic()
            self._lags()
            self._kafka.look()
            self._rejected.tell(self._state.last_beat)
            await asyncio.sleep(BEAT_SECONDS)

    async def count_waiting(self) -> None:
        """After commits, count what waits in the database, until cancelled."""
        while True:
            await self._to_count.wait()
            self._to_count.clear()
            started = time.monotonic()
            try:
                with translated():
                    async with self._engine.connect() as connection:
                        row = (await connection.execute(_COUNT)).one()._mapping
            except ProjectorError as error:
                log.debug("counting what waits failed", extra={"error": str(error)})
            else:
                self._waiting({name: float(value) for name, value in row.items()})
            await asyncio.sleep(max(COUNT_PAUSE_SECONDS, (time.monotonic() - started) / COUNT_SHARE))

    def _waiting(self, counted: dict[str, float]) -> None:
        metrics = self._metrics
        for label, name in (
            ("parent", "parent"),
            ("version", "version"),
            ("unique", "contested"),
            ("operator", "refused"),
        ):
            metrics.parked.labels(label).set(counted[name])
        metrics.oldest_parked.set(counted["oldest"])
        metrics.hidden.set(counted["hidden"])
        metrics.dead_letters.set(counted["dead_letters"])
        self._state.waiting = {name: int(value) for name, value in counted.items() if name != "oldest"}

    def _lags(self) -> None:
        metrics, state, source = self._metrics, self._state, self._source
        self._lag.look(source, self._oldest(), time.time())
        self._stops()
        state.rejected_ratio = dict(self._ratios())
        for topic, ratio in state.rejected_ratio.items():
            metrics.rejected_ratio.labels(topic).set(ratio)
        state.joined = source.joined
        metrics.rebalances.inc(source.rebalances - self._rebalances_seen)
        self._rebalances_seen = source.rebalances
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
        held = {p: hold.reason for p, hold in self._source.partitions.held.items()}
        stopped = {p: reason for p, reason in held.items() if reason in STOPPED}
        for gone, reason in state.stopped_partitions.items():
            if stopped.get(gone) != reason:
                metrics.partition_stopped.remove(gone.topic, str(gone.partition), reason)
        for partition, reason in stopped.items():
            metrics.partition_stopped.labels(partition.topic, str(partition.partition), reason).set(1)
        state.stopped_partitions = stopped
        reasons = {own for reason in held.values() if reason not in STOPPED for own in reason.split(", ")}
        state.intake_stopped = ", ".join(sorted(reasons)) or None
        for reason in INTAKE_STOPS:
            metrics.intake_stopped.labels(reason).set(reason in reasons)

    def _count(self, became: Mapping[str, Counter[str]]) -> None:
        totals = self._state.totals
        for topic, outcomes in became.items():
            for outcome, number in outcomes.items():
                if number:
                    self._metrics.events.labels(topic, outcome).inc(number)
                    totals[outcome] = totals.get(outcome, 0) + number
