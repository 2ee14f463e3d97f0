"""Read your own writes by the position of a record: whether the service has passed it, and what became of it.

Postgres's NOTIFY would not do: behind a transaction pooler nobody can LISTEN.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, Text, and_, case, column, literal, select, values
from sqlmodel import col

from neon_projector.models.control import DeadLetter, IntakeStop, Offset, ParkedEvent
from neon_projector.models.reading.checks import MAX_PAGE, counted, storable
from neon_projector.models.reading.patience import pauses
from neon_projector.models.reading.steps import Plan

GROUP = "neon-projector"
"""The default of the service's KAFKA_GROUP_ID."""


class RecordAt(NamedTuple):
    """Where a record is, as a producer is told when it has sent one. A negative offset is none: clients have one for a
    record that was not sent, or whose broker was not waited for (`acks=0`)."""

    topic: str
    partition: int
    offset: int


class Outcome(StrEnum):
    """What became of a record that the service has passed.

    APPLIED: it is done with. It had its effect, or needed none any more: a newer version was there (superseded), it was
    a duplicate, or of a type that is ignored. That is no promise of a row: a document whose owner is not there yet, or
    is deleted, is kept aside; `wait_for_version` tells.
    PARKED: it is a partial event that waits for the versions before it.
    REJECTED: it is a dead letter that nobody has resolved.
    """

    APPLIED = "applied"
    PARKED = "parked"
    REJECTED = "rejected"


def wait_until_applied(
    topic: str, partition: int, offset: int, *, timeout: float = 5.0, group_id: str = GROUP
) -> Plan[Outcome]:
    """What became of the record, as soon as the service has passed it.

    `timeout` is in seconds; the last question's own time comes on top. `group_id` is the service's KAFKA_GROUP_ID.
    TimeoutError if the service has not passed the record by then; it says how far the service is. What an operator
    skips (`offsets reset`) counts as passed; after a reset to an earlier position a record is waited for again.

    In a session, rows of users and documents that it had loaded stay as they were and leave the session, so what it
    reads from here on is new. ValueError in a transaction with a snapshot (REPEATABLE READ): it would see nothing new;
    and for what is no place of a record, as a negative offset.
    """
    record = RecordAt(topic, partition, offset)
    return (yield from wait_until_all_applied([record], timeout=timeout, group_id=group_id))[record]


def wait_until_all_applied(
    records: Iterable[RecordAt], *, timeout: float = 5.0, group_id: str = GROUP
) -> Plan[dict[RecordAt, Outcome]]:
    """As `wait_until_applied`, for at most 1000 records together. TimeoutError if one of them is not passed."""
    open_ = set(map(_checked, records))
    if len(open_) > MAX_PAGE:
        raise ValueError(f"at most {MAX_PAGE} records, {len(open_)} came")
    storable("group_id", group_id)
    found: dict[RecordAt, Outcome] = {}
    behind: dict[RecordAt, int | None] = {}
    waiting = pauses(timeout)
    while open_:
        for *where, position, outcome in (yield _question(open_, group_id)) or ():
            record = RecordAt(*where)
            behind[record] = position
            if outcome is not None:
                found[record] = Outcome(outcome)
        open_ -= found.keys()
        if open_:
            pause = next(waiting, None)
            if pause is None:
                stops = [key for (key,) in (yield _stops(min(open_).topic, group_id)) or ()]
                raise TimeoutError(_behind(min(open_), behind[min(open_)], group_id, timeout, bool(stops)))
            yield pause
    return found


def _checked(record: RecordAt) -> RecordAt:
    topic, partition, offset = record
    return RecordAt(storable("topic", topic), counted("partition", partition, 32), counted("offset", offset))


def _question(records: Iterable[RecordAt], group_id: str) -> Select[Any]:
    """For each record the group's position in its partition, and, where that has passed the record, the outcome. All
    of it in one snapshot: a position moves in the transaction that writes the letters and what is parked."""
    wanted = values(
        column("topic", Text), column("partition", Integer), column("offset", BigInteger), name="wanted"
    ).data(sorted(records))
    place = wanted.c.topic, wanted.c.partition, wanted.c.offset
    position = and_(
        col(Offset.group_id) == group_id,
        col(Offset.topic) == wanted.c.topic,
        col(Offset.partition) == wanted.c.partition,
    )
    # the role that reads may see these columns only: EXISTS (SELECT * ...) would need all
    rejected = select(literal(1)).where(*_same_place(DeadLetter, place), col(DeadLetter.status) != "resolved").exists()
    parked = select(literal(1)).where(*_same_place(ParkedEvent, place)).exists()
    outcome = case(
        (col(Offset.next_offset) <= wanted.c.offset, None),
        (col(Offset.next_offset).is_(None), None),
        (rejected, Outcome.REJECTED.value),
        (parked, Outcome.PARKED.value),
        else_=Outcome.APPLIED.value,
    )
    return select(*place, col(Offset.next_offset), outcome).select_from(wanted.outerjoin(Offset, position))


def _same_place(table: type[DeadLetter] | type[ParkedEvent], place: tuple[Any, ...]) -> Iterator[ColumnElement[bool]]:
    columns = col(table.topic), col(table.partition), col(table.offset)
    return (column == wanted for column, wanted in zip(columns, place, strict=True))


def _stops(topic: str, group_id: str) -> Select[Any]:
    """The stops of intake that concern a topic: a pause, also of all topics, or the fuse's."""
    keys = ("*", topic, f"fuse:{topic}")
    all_but = col(IntakeStop.except_topics).contains([topic])
    return select(col(IntakeStop.topic)).where(
        col(IntakeStop.group_id) == group_id, col(IntakeStop.topic).in_(keys), all_but.is_not(True)
    )


def _behind(record: RecordAt, position: int | None, group_id: str, timeout: float, stopped: bool) -> str:
    place = f"{record.topic}:{record.partition}"
    if position is None:
        said = f"the group {group_id} has no position in {place}: is that its KAFKA_GROUP_ID, and does the service run?"
    else:
        said = f"{place} is at {position}, and {record.offset} is waited for"
    return f"not applied within {timeout:g} s: {said}{'; intake of the topic is stopped' if stopped else ''}"
