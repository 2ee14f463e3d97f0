"""Reads ranges again and applies them, beside the running service and by the same way: `Retry` and `Transaction`.

Its progress is positions of a group of its own, `operation:<id>`, which move with each COMMIT: so a record is counted
once however often the replay is killed, and a runner that was taken over from is fenced. Parents' topics come first:
then no child has to wait for its parent. Nothing is erased and no fuse blows: both are the service's own.
"""

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition
from asyncpg.pgproto import pgproto
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations.left_behind import group_of
from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.operations.pace import Pace
from neon_projector.consumer.admin.replay.patience import Patience
from neon_projector.consumer.admin.replay.plan import ensure_same_topics, ensure_there, name_of, partition_of
from neon_projector.consumer.admin.replay.portions import Portions
from neon_projector.consumer.admin.watermarks import bounds_of
from neon_projector.consumer.apply.fuse import Fuse
from neon_projector.consumer.apply.lock import enter_claim
from neon_projector.consumer.apply.maintenance import Maintenance
from neon_projector.consumer.apply.retry import Retry
from neon_projector.consumer.apply.transaction import Transaction
from neon_projector.consumer.batch import Batch, Fetched
from neon_projector.consumer.batching.decoding import decode
from neon_projector.consumer.batching.divide import parent_depths
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.errors import Fenced, PositionsMoved
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.mentions import Mentions
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.offsets import store as positions
from neon_projector.consumer.offsets.claim import Claim
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.outcome import Outcome
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.contract.record import Record

REPORT_SECONDS = 1.0
"""How often the operation's row says how much is done; the positions say it with each COMMIT."""
ALL_LOOK = 2**63
"""Batches of fewer records look, before they write, what is there already: so a replay provokes no error."""


class Replay:
    """One run of one operation: `run` reads from where the runner before has stopped."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: Settings,
        registry: Registry,
        operation: Operation,
        pace: Pace,
        progress: Callable[[int], None],
        tell: Callable[[str], None],
    ) -> None:
        """`settings` as the service has them; `tell` is told in words what is waited for."""
        self._engine, self._settings, self._operation = engine, settings, operation
        self._group = group_of(operation.id)
        self._pace, self._progress = pace, progress
        with operation.understood():
            self._ranges = {partition_of(name): (start, end) for name, (start, end) in operation.ranges.items()}
            keys = operation.filter.get("keys")
            self._only = mentions_of(keys) if keys else None
        transaction = Transaction(engine, registry, self._group, Fuse.never(), Maintenance(math.inf))
        self._retry = Retry(transaction, Patience(tell), new_from=ALL_LOOK)
        self._decoder = decoder_of(settings, registry, pgproto.UUID)
        self._depths = parent_depths(registry, settings.topics)
        self._portions = Portions(matcher(keys) if keys else None, settings.batch_max_bytes, lambda: pace.rate)
        self._done, self._reported_at = 0, 0.0

    async def run(self) -> None:
        """To the end. Cancelled or TakenOver where somebody else has decided; TransientError where a server does not
        answer for a minute: then it can be resumed."""
        claims = await self._claim()
        self._done = sum(claims[p].next_offset - start for p, (start, _) in self._ranges.items())
        self._progress(self._done)
        for depth in sorted(set(self._depths.values())):
            own = {p: claims[p] for p in self._ranges if self._depths.get(p.topic, 0) == depth}
            await self._read({p: claim for p, claim in own.items() if claim.next_offset < self._ranges[p][1]})
        await self._operation.report(done=self._done)
        self._operation.result = await self.result()

    async def result(self) -> dict[str, Any]:
        """`outcomes`: records by what they counted as. `left_out`: offsets of other keys, or without a record. `lost`:
        by partition the ranges of offsets that Kafka no longer had."""
        stored = await positions.stored(self._engine, self._group)
        outcomes = {one.value: sum(own[one.value] for own in stored.values()) for one in Outcome}
        lost = self._operation.position.get("lost", {})
        read = {name: self._ranges[p] for name in lost if (p := partition_of(name)) in self._ranges}
        within = sum(end - max(start, read[n][0]) for n in read for start, end in lost[n] if end > read[n][0])
        skipped = sum(own["skipped"] - self._ranges[p][0] for p, own in stored.items())
        return {"outcomes": outcomes, "left_out": skipped - within, "lost": lost}

    async def _claim(self) -> Mapping[TopicPartition, Claim]:
        """Take the replay's own positions over; where there are none they begin at the start of each range."""
        bounds = await bounds_of(self._settings)
        first = {partition: start for partition, (start, _) in self._ranges.items()}
        ids = {p.topic: bounds[p].topic_id for p in first if p in bounds}
        with translated():
            async with self._engine.begin() as connection:
                await enter_claim(connection)
                claims = await positions.claim(connection, self._group, first, ids)
                await self._operation.step(connection)
        ensure_same_topics(claims, bounds)
        ensure_there((p for p, claim in claims.items() if claim.next_offset < self._ranges[p][1]), bounds)
        return claims

    async def _read(self, claims: Mapping[TopicPartition, Claim]) -> None:
        ends = {partition: self._ranges[partition][1] for partition in claims}
        begin = {partition: claim.next_offset for partition, claim in claims.items()}
        reading = Reread(self._settings, ends, lambda *_: None, begin, over_gaps=True, only=self._only)
        with kafka_translated():
            told = 0
            async for portion in self._portions.of(reading.parts()):
                for gap in reading.gaps[told:]:
                    await self._lost(gap.partition, gap.start, gap.end)
                told = len(reading.gaps)
                await self._apply(portion, claims)

    async def _apply(self, portion: Iterable[Fetched], claims: Mapping[TopicPartition, Claim]) -> None:
        own = [
            Fetched(part.partition, part.span._replace(epoch=claims[part.partition].epoch), part.records, part.size)
            for part in portion
        ]
        batch, began = await decode(own, self._decoder, self._depths), time.monotonic()
        try:
            async for part, _ in self._retry.apply(batch):
                self._done += _length(part)
        except (Fenced, PositionsMoved):
            await self._operation.alive()  # cancelled, or taken over
            raise
        now = time.monotonic()
        self._portions.took(now - began)
        self._progress(self._done)
        if now - self._reported_at >= REPORT_SECONDS:
            self._reported_at = now
            await self._operation.report(done=self._done)
        await self._pace.passed(len(batch.decoded))

    async def _lost(self, partition: TopicPartition, start: int, end: int) -> None:
        lost = {name: list(gaps) for name, gaps in self._operation.position.get("lost", {}).items()}
        gaps = lost.setdefault(name_of(partition), [])
        if [start, end] not in gaps:
            gaps.append([start, end])
            await self._operation.report(position={"lost": lost})


def matcher(keys: Iterable[str]) -> Callable[[Record], bool]:
    """Whether a record's key is one of these: the same bytes, or the same UUID however it is written."""
    wanted, ids = set(keys), {one for key in keys if (one := _uuid(key)) is not None}
    exact = {key.encode() for key in wanted}

    def matches(record: Record) -> bool:
        if record.key is None or record.key in exact:
            return record.key is not None
        return bool(ids) and _uuid(record.key.decode(errors="replace")) in ids

    return matches


def mentions_of(keys: Collection[str]) -> Mentions | None:
    """What leaves most records of other keys out as they are fetched; None of too many keys, or an empty one."""
    ids = {key: _uuid(key) for key in keys}
    texts = [key.encode() for key, one in ids.items() if one is None]
    return Mentions.unless_many([one for one in ids.values() if one is not None], texts) if all(keys) else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _length(batch: Batch) -> int:
    return sum(span.next_offset - span.start for span in batch.spans.values())
