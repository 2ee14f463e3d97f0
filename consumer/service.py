"""The service: the way of a record from Kafka to Postgres, on one screen."""

import asyncio
import logging
import time

from aiokafka import TopicPartition
from asyncpg.pgproto import pgproto

from neon_projector.consumer.apply.claims import Claims
from neon_projector.consumer.apply.fuse import Fuse
from neon_projector.consumer.apply.maintenance import Maintenance
from neon_projector.consumer.apply.retry import Retry
from neon_projector.consumer.apply.transaction import Transaction
from neon_projector.consumer.apply.watchdog import Watchdog
from neon_projector.consumer.batch import Batch
from neon_projector.consumer.batching.batcher import Batcher
from neon_projector.consumer.batching.divide import parent_depths
from neon_projector.consumer.batching.read_ahead import ReadAhead
from neon_projector.consumer.batching.rewind import Rewind
from neon_projector.consumer.batching.scheduler import Scheduler
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.errors import Fenced, FuseBlown, PositionsMoved
from neon_projector.consumer.kafka import topics
from neon_projector.consumer.kafka.client import client_options
from neon_projector.consumer.kafka.committer import Committer
from neon_projector.consumer.kafka.consumer import GroupConsumer
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.force_rebalance import Others
from neon_projector.consumer.kafka.topic_watch import TopicWatch
from neon_projector.consumer.kafka.watch import Watch
from neon_projector.consumer.offsets.claim import Positions
from neon_projector.consumer.offsets.position_check import Known, PositionCheck
from neon_projector.consumer.recovery.retrying import Retrying
from neon_projector.consumer.schema.migrate import require_schema
from neon_projector.consumer.settings import Settings
from neon_projector.consumer.telemetry.kafka_gauges import KafkaGauges
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.observer import Observer
from neon_projector.consumer.telemetry.state import ServiceState
from neon_projector.consumer.telemetry.tracing.none import NoTracing, Tracing
from neon_projector.models.engine import create_service_engine
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY

log = logging.getLogger(__name__)

REVOKE_WAIT_SECONDS = 5.0
"""How long a rebalance waits for the batch in hand; what comes later is fenced."""
STOP_WAIT_SECONDS = 6.0
"""How long SIGTERM waits for the batch in hand; then it is rolled back."""


class Service:
    """One instance. Nothing happens before `run`."""

    def __init__(self, settings: Settings, registry: Registry = REGISTRY, tracing: Tracing | None = None) -> None:
        self.settings = settings
        self._tracing = tracing or NoTracing()
        self.engine = create_service_engine(settings)
        self._tracing.watch(self.engine)
        self.metrics = Metrics(settings.topics.values())
        self.state = ServiceState(settings.kafka_group_id)
        self._watch = Watch(client_options(settings), settings.topics.values())
        self._consumer = GroupConsumer(settings, self._watch, self._begun, self._revoked)
        fuse = Fuse(settings.fuse_min_records, settings.fuse_ratio)
        self._topics = TopicWatch(self._consumer, settings.topics.values())
        self._committer = Committer(self._consumer)
        gauges = KafkaGauges(self._watch, self._topics, self._committer, self.metrics, self.state)
        self.observer = Observer(self.engine, self._consumer, gauges, fuse, self.metrics, self.state)
        self._database = Retrying(self.observer.database)
        self._kafka = Retrying(self.observer.kafka, kafka_translated)
        # ids of pgproto are hashed and bound in C
        decoder = decoder_of(settings, registry, pgproto.UUID)
        depth = parent_depths(registry, settings.topics)
        self._watchdog = Watchdog(self.engine)
        claims = Claims(self.engine, settings, fuse, self._database, self._watchdog, self.observer)
        self._read_ahead = ReadAhead(self._consumer, claims, settings, self._kafka)
        self._scheduler = Scheduler(self._apply, settings.batches_at_once, self._read_ahead.changed)
        self._batcher = Batcher(self._read_ahead, self._scheduler, decoder, settings, depth)
        maintenance = Maintenance(settings.cascade_grace_seconds, settings.changes_kept_hours)
        check = PositionCheck(settings.kafka_group_id, self._known)
        check.watch(self.engine)
        transaction = Transaction(self.engine, registry, settings.kafka_group_id, fuse, maintenance, check)
        self._retry = Retry(transaction, self.observer.database)
        self._rewind = Rewind(self._consumer, self._batcher, claims, check, Others(settings))
        self._serving: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve until `stop`; ends with an error where retrying cannot help."""
        self._serving = asyncio.create_task(self._serve(), name="serve")
        try:
            await self._serving
        except asyncio.CancelledError:
            if not self._batcher.stopping:
                raise

    def stop(self) -> None:
        """Finish the batch in hand, or roll it back, and leave the group; `run` then returns."""
        self._batcher.stop()
        if self._serving is not None:
            in_hand = self._consumer.joined or not self._scheduler.idle.is_set()
            asyncio.get_running_loop().call_later(STOP_WAIT_SECONDS if in_hand else 0, self._give_up, self._serving)

    def _give_up(self, serving: asyncio.Task[None]) -> None:
        if not self._scheduler.idle.is_set():
            log.warning("stopping without waiting any longer for the current batch; it is rolled back")
        serving.cancel()

    async def _serve(self) -> None:
        tasks = [asyncio.create_task(self.observer.beat(self._batcher))]
        try:
            await self._database.until_answered(lambda: require_schema(self.engine))
            await self._kafka.until_answered(lambda: topics.require(self.settings))
            parts = (
                self.observer.backlog.count(),
                self._committer.run(),
                self._rewind.look_at_stopped(),
                self._read_ahead.run(),
                self._look_at_topics(),
                self._write(),
            )
            tasks += [asyncio.create_task(part) for part in parts]
            done, _ = await asyncio.wait([*tasks, self._scheduler.failed], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            self._scheduler.cancel()
            await asyncio.gather(*tasks, self._scheduler.idle.wait(), return_exceptions=True)
            await self._leave()

    async def _write(self) -> None:
        """The main loop: batches of what came first, each in one transaction, several of them under way."""
        while (batch := await self._batcher.next_batch()) is not None:
            await self._scheduler.start(batch)
        await self._scheduler.drain()

    async def _apply(self, batch: Batch) -> None:
        """One batch: retried, split or settled until it is committed, or somebody else changed its positions."""
        if lost := self._consumer.partitions.lost(batch.spans):
            batch = batch.without(lost)
        if not batch:
            return
        started = time.monotonic()
        try:
            with self._tracing.batch(batch) as trace:
                async with self._watchdog.watching():
                    async for done, receipt in self._retry.apply(batch):
                        trace.committed(done, receipt)
                        self.observer.committed(done, receipt, time.monotonic() - started, trace.exemplar)
                        self._committer.note({p: span.next_offset for p, span in done.spans.items()})
        except (Fenced, PositionsMoved) as error:
            if await self._rewind.fenced(batch, error):
                self.observer.fenced()
        except FuseBlown as blown:
            await self._rewind.fuse_blown(batch, blown)

    async def _look_at_topics(self) -> None:
        async for metadata in self._watch.answers():
            if changed := await self._topics.look(metadata):
                self._batcher.drop(changed)

    def _known(self) -> dict[TopicPartition, Known]:
        """What is stored of the partitions being read, as far as this instance knows."""
        applied, reading = self.state.positions, self._consumer.partitions.reading
        return {p: Known(applied[p], one.epoch) for p, one in reading.items() if p in applied}

    def _begun(self, positions: Positions) -> None:
        self._committer.note(positions)  # also of a partition that brings nothing, whose lag is told by it

    async def _revoked(self, partitions: set[TopicPartition]) -> None:
        self._batcher.drop(partitions)
        try:
            async with asyncio.timeout(REVOKE_WAIT_SECONDS):
                await self._scheduler.idle.wait()
        except TimeoutError:
            log.warning("the rebalance no longer waits for the current batch")
        for partition in partitions:
            self.state.positions.pop(partition, None)
        self._committer.forget(partitions)

    async def _leave(self) -> None:
        if not self._committer.stale_seconds:  # else Kafka takes nothing now, and nobody waits for a hint
            await self._committer.commit()
        await self._consumer.stop()
        self._watch.close()
        await self.engine.dispose()
