"""Moves positions for an operator. A running service is fenced by it, reads its positions again and goes on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.lost_records import Lost, first_left, lost
from neon_projector.consumer.admin.operations import audit as operations
from neon_projector.consumer.admin.retry_conflicts import retry_conflicts
from neon_projector.consumer.admin.watermarks import Bounds, bounds_of
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.kafka.metadata import is_another
from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.offsets.store import stored as positions_of_group
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.consumer.wording import first_of

COMMAND = "offsets reset"

Scope = Mapping[str, set[int] | None]
"""By topic the partitions that are meant; None: all that have a position."""


NAMED = 5
"""So many partitions are named in an error."""


@dataclass(frozen=True)
class Target:
    """Where to: one of `earliest`, `latest`, `offset`, `time` (milliseconds since 1970), `shift` (records)."""

    kind: str
    value: int = 0


class Move(NamedTuple):
    """One partition's position, before and after; `clamped` where Kafka does not have what was asked for."""

    partition: TopicPartition
    before: int
    after: int
    clamped: bool
    topic_id: str | None = None
    """Of the topic that the new position is in."""
    lost: Lost | None = None
    """What Kafka deleted before it was read."""
    recreated: bool = False
    """The old position was in another topic of that name, and the new one does not say where its records are now."""
    same: bool = False
    """The old position was in another topic of that name, which is taken to have the same records."""

    @property
    def name(self) -> str:
        return f"{self.partition.topic}:{self.partition.partition}"

    @property
    def again(self) -> int:
        """How many offsets are read once more."""
        return 0 if self.recreated else max(0, self.before - self.after)

    @property
    def skipped(self) -> int:
        """How many offsets of the topic that is there are not read."""
        return max(0, self.after - (0 if self.recreated else self.before))

    @property
    def effect(self) -> str:
        found = [f"{self.again:,} read again"] if self.again else []
        found += [f"{self.skipped:,} skipped"] if self.skipped else []
        if self.recreated or self.same:
            found = [f"another topic{', taken for the same records' if self.same else ''}", *found]
        return ", ".join(found) or "nothing"


_LOCK = text(f"""
    SELECT topic, partition, next_offset, updated_at, topic_id FROM {OFFSETS}
    WHERE group_id = :group_id ORDER BY topic, partition FOR UPDATE""")
_MOVE = text(f"""
    UPDATE {OFFSETS} o SET next_offset = v.after, epoch = o.epoch + 1, fingerprint = NULL, topic_id = v.topic_id,
        updated_at = now()
    FROM unnest(CAST(:topic AS text[]), CAST(:partition AS integer[]), CAST(:after AS bigint[]),
        CAST(:topic_id AS text[])) AS v(topic, partition, after, topic_id)
    WHERE o.group_id = :group_id AND o.topic = v.topic AND o.partition = v.partition""")


async def reset(engine: AsyncEngine, settings: Settings, scope: Scope, target: Target, *, execute: bool) -> list[Move]:
    """Plan the moves of the partitions in `scope`, from where they are now, and make them if `execute`.

    Positions are read, computed and written under one lock, and a running service waits meanwhile. Refused where a
    partition has no position, or is not in Kafka: then none is moved. What Kafka deleted before it was read is named in
    each move, and kept in `projector.operations`, as `after -> 'lost'`.
    """
    bounds = await bounds_of(settings, target.value if target.kind == "time" else None)
    group_id = settings.kafka_group_id
    positions = {p: own["next_offset"] for p, own in (await positions_of_group(engine, group_id)).items()}
    left = await first_left(settings, positions, bounds)

    async def attempt() -> list[Move]:
        with translated():
            async with engine.begin() as connection:
                rows = await connection.execute(_LOCK, {"group_id": group_id})
                stored = {TopicPartition(row.topic, row.partition): row for row in rows}
                moves = [_plan(p, stored[p], target, bounds[p], left.get(p)) for p in meant(scope, stored, bounds)]
                if execute:
                    await _carry_out(connection, group_id, moves)
                return moves

    return await retry_conflicts(attempt)


def meant(
    scope: Scope, stored: Mapping[TopicPartition, Any], bounds: Mapping[TopicPartition, Bounds]
) -> list[TopicPartition]:
    """The partitions in `scope`; Refused where one of them has no position, or is not in Kafka."""
    meant = {p for p in stored if p.topic in scope and scope[p.topic] is None}
    meant |= {TopicPartition(topic, number) for topic, numbers in scope.items() for number in numbers or ()}
    if absent := meant - bounds.keys():
        others = {p.topic for p in meant} - {p.topic for p in absent}
        raise Refused(f"Kafka does not have {_names(absent)}{but(others)}")
    if unread := meant - stored.keys():
        raise Refused(f"no position is stored for {_names(unread)}; the service stores one when it reads there")
    if not meant:
        raise Refused("no position is stored for these topics; has the service ever run?")
    return sorted(meant)


def but(others: Iterable[str]) -> str:
    """The end of a refusal: how to ask for these topics only, which can be had; nothing where there are none."""
    give = " ".join(f"--topic {topic}" for topic in sorted(others))
    return f"; for the others give {give}" if give else ""


def _names(partitions: Iterable[TopicPartition]) -> str:
    return first_of((f"{p.topic}:{p.partition}" for p in sorted(partitions)), NAMED)


def _plan(
    partition: TopicPartition, stored: Any, target: Target, bounds: Bounds, first_left_at: datetime | None
) -> Move:
    """Of a topic that was created again, nothing was read before."""
    another = is_another(stored.topic_id, bounds.topic_id)
    recreated = another and target.kind != "shift"
    gone = lost(0 if recreated else stored.next_offset, stored.updated_at, bounds, first_left_at)
    return _move(partition, stored.next_offset, target, bounds)._replace(
        lost=gone, recreated=recreated, same=another and not recreated
    )


def _move(partition: TopicPartition, before: int, target: Target, bounds: Bounds) -> Move:
    asked = {
        "earliest": bounds.earliest,
        "latest": bounds.latest,
        "offset": target.value,
        "time": bounds.at_time,
        "shift": before + target.value,
    }[target.kind]
    after = min(max(asked, bounds.earliest), bounds.latest)
    return Move(partition, before, after, after != asked, bounds.topic_id)


async def _carry_out(connection: AsyncConnection, group_id: str, moves: list[Move]) -> None:
    values: dict[str, Any] = {
        "topic": [m.partition.topic for m in moves],
        "partition": [m.partition.partition for m in moves],
        "after": [m.after for m in moves],
        "topic_id": [m.topic_id for m in moves],
    }
    await connection.execute(_MOVE, {"group_id": group_id, **values})
    before = {m.name: m.before for m in moves}
    after: dict[str, Any] = {m.name: m.after for m in moves}
    if gone := {m.name: m.lost.to_json() for m in moves if m.lost}:
        after["lost"] = gone
    if others := [m.name for m in moves if m.recreated and m.before]:
        after["recreated"] = others
    if same := [m.name for m in moves if m.same]:
        after["same"] = same
    if ids := {m.partition.topic: m.topic_id for m in moves if m.topic_id}:
        after["topic_ids"] = ids
    await operations.record(connection, COMMAND, before=before, after=after, filter={"group_id": group_id})
