"""The records of one id, folded one by one: what each would do, from nothing on, and what the database has of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import TopicPartition

from neon_projector.consumer.admin.explain.became import Became
from neon_projector.consumer.admin.explain.ignored import said_type
from neon_projector.consumer.admin.kept import WHOLE, Kept
from neon_projector.consumer.admin.lost_records import time_of
from neon_projector.consumer.apply.rejection_log import said_name
from neon_projector.projections.contract.event import Decoded, Event, MisnamedEvent, Rejection
from neon_projector.projections.contract.projection import COMPLETE
from neon_projector.projections.contract.record import Record
from neon_projector.projections.state.fold import State, fold

Row = dict[str, Any]


def steps(
    decoded: Iterable[Decoded], story: Row, positions: Mapping[TopicPartition, int], types: Iterable[str] = (),
    kept: Kept = WHOLE,
) -> list[Row]:  # fmt: skip
    """A row for each record, in order of their timestamps: `at`, `topic`, `partition`, `offset`, `entity`, `version`,
    `type`, `would` (its outcome, if the records came in this order), `changes` (columns), `did` and `dead_letter` (what
    became of it, see `Became`).

    `entity` and what follows are None where the record is no event of the id.
    """
    folds, found, became = _Folds(), list[Row](), Became(story, positions, kept)
    for one in sorted(decoded, key=lambda one: _order(one.record)):
        record = one.record
        row: Row = {"at": time_of(record.timestamp), "topic": record.topic, "partition": record.partition}
        row |= {"offset": record.offset, "entity": None, "version": None, "type": None, "changes": []}
        if isinstance(one, Event):
            if one.id != story["id"]:
                continue  # it only mentions the id: its owner, say
            row |= {"entity": one.entity, "version": one.version, "type": one.type}
            row["would"], row["changes"] = folds.take(one)
            if isinstance(one, MisnamedEvent):
                row["would"] += "".join(f"; without {field}, as {name} came" for field, name in one.misnamed.items())
        elif isinstance(one, Rejection):
            row |= {"type": one.type, "would": f"rejected: {one.reason.value}"}
        else:
            row |= {"type": one.type and said_name(one.type), "would": said_type(one.type, types)}
        row["did"], row["dead_letter"] = became.of(row)
        found.append(row)
    return found


class _Folds:
    """The state and the parked events of each entity with this id, after the records so far."""

    def __init__(self) -> None:
        self._states: dict[str, State | None] = {}
        self._waiting: dict[str, list[Event]] = {}

    def take(self, event: Event) -> tuple[str, list[str]]:
        """The outcome of `event`, in words, and the columns that it changes with what it releases."""
        before, waiting = self._states.get(event.entity), self._waiting.get(event.entity, [])
        folded = fold(before, waiting, [event])
        released = [one for events in folded.released.values() for one in events]
        self._states[event.entity] = folded.state
        self._waiting[event.entity] = [one for one in waiting if one not in released] + folded.parked
        old = (before.fields if before else None) or {}
        new = (folded.state.fields if folded.state else None) or {}
        changes = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        also = f", with version {', '.join(str(one.version) for one in released)}" if released else ""
        rejected = [one for one in folded.rejected if one.record is event.record]
        if rejected:
            return f"rejected: {rejected[0].reason.value}", []
        if folded.parked:
            return "parked: a version before it is missing", []
        if folded.superseded and event.kind is COMPLETE and before is not None and before.fields is None:
            gone = "erased" if before.erased else "deleted"
            return f"superseded: it was {gone} at version {before.version}, and numbering goes on after that", []
        return ("applied" if folded.applied else "superseded") + also, changes


def _order(record: Record) -> tuple[int, str, int, int]:
    return record.timestamp, record.topic, record.partition, record.offset
