"""What the numbers of `status` mean, in a sentence each, the worst first, and the next command."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from neon_projector.consumer.admin.group_protocols import CLASSIC
from neon_projector.consumer.admin.trouble import held_back, late, unread
from neon_projector.consumer.offsets.intake_stops import FUSE, PAUSED, Stop, lifted_by
from neon_projector.consumer.remedies import (
    SAYS_WHO_SENDS,
    WATCHES,
    WHY_STOPPED,
    Place,
    intake,
    looked_into_by,
    moved_by,
    named,
    shows_letters,
)
from neon_projector.consumer.wording import counted, span, verb

Row = dict[str, Any]


class Finding(NamedTuple):
    """One thing to know. `level`: `stopped` (records are not applied), `behind`, `look` (somebody has to decide) or
    `ok`. `next`: the command that shows more or helps, None where there is none."""

    level: str
    says: str
    next: str | None = None


def findings(status: Row) -> list[Finding]:
    """Everything that is worth a sentence in the answer of `status_of`, the worst first; never empty."""
    found = [*_stopped(status), *_unread(status), *_behind(status), *_to_decide(status)]
    found += [*_ignored(status), *_misnamed(status)]
    return found or [Finding("ok", _all_well(status))]


def _stopped(status: Row) -> Iterator[Finding]:
    absent = [row for row in status["partitions"] if row["stopped"] and row["latest"] is None]
    if absent:
        yield Finding("stopped", f"Kafka does not have {_names(absent)}: create the topic again, or set its right name")
    for reason, why in WHY_STOPPED.items():
        rows = [row for row in status["partitions"] if row["stopped"] == reason and row not in absent]
        if rows:
            move = moved_by(_places(rows), _places(status["partitions"]), reason)
            said = f"{_names(rows)} {verb(len(rows), 'is', 'are')} stopped: {why}"
            yield Finding("stopped", said, move)
    if (protocol := status["group"]["protocol"]) != CLASSIC:
        other = f"another client uses this group, with the protocol {protocol}"
        yield Finding("stopped", f"{other}: give this service a group of its own (KAFKA_GROUP_ID), or stop the other")
    for stop in status["intake"]:
        if stop.reason == FUSE:
            goes_on = f"`{lifted_by(stop.topic)}` once the cause is gone; with --accept if these records are really bad"
            why = f" ({stop.message})" if stop.message else ""
            says = f"the fuse has stopped {intake(stop.topic)}{why}: {goes_on}"
            yield Finding("stopped", says, looked_into_by(stop, letters=bool(status["dead_letters"])))
        elif stop.reason == PAUSED:
            yield Finding("stopped", f"{intake(stop.topic)} is paused{_by(stop)}", lifted_by(stop.topic))


def _by(stop: Stop) -> str:
    return (f" by {stop.actor}" if stop.actor else "") + (f" ({stop.message})" if stop.message else "")


def _unread(status: Row) -> Iterator[Finding]:
    group = status["group"]
    if not group["members"]:
        yield Finding("stopped", "no instance of the service is in the group", "projector run")
    elif group["state"] != "Stable":
        yield Finding("behind", f"the group divides its partitions ({group['state']})", WATCHES)
    elif rows := unread(status):
        yield Finding("stopped", f"no instance reads {_names(rows)}", WATCHES)


def _behind(status: Row) -> Iterator[Finding]:
    if rows := late(status):
        records, oldest = sum(row["lag"] for row in rows), max(row["lag_seconds"] for row in rows)
        are = verb(records, "is", "are")
        said = f"{counted(records, 'record')} of {_names(rows)} {are} not applied yet, the oldest for {span(oldest)}"
        yield Finding("behind", said, SAYS_WHO_SENDS)
    if rows := held_back(status):
        yield Finding("behind", f"a publisher's open transaction holds back records of {_names(rows)}")


def _to_decide(status: Row) -> Iterator[Finding]:
    if lately := status["rejected_lately"]:
        number, most = status["dead_letters_lately"], lately[0]
        were, whence = verb(number, "was", "were"), f"most: {most['reason']} from {most['source']}"
        said = f"{counted(number, 'record')} {were} rejected in the last 10 minutes, {whence}"
        yield Finding("look", said, shows_letters(number))
    elif number := status["dead_letters"]:
        said = f"{counted(number, 'dead letter')} {verb(number, 'waits', 'wait')} for a decision"
        yield Finding("look", said, shows_letters(number))
    if number := status["refused"]:
        said = f"the database refused {counted(number, 'state')} that had waited"
        yield Finding("look", said, "projector parked retry --all")
    waits = {"parked": status["parked_states"] + status["parked_events"], "contested": status["contested"]}
    if said := " and ".join(f"{number:,} {name}" for name, number in waits.items() if number):
        are = verb(sum(waits.values()), "waits", "wait")
        yield Finding("look", f"{said} {are} for what has not come", "projector parked list")


def _ignored(status: Row) -> Iterator[Finding]:
    """Types that are a mistake, probably. A topic may carry events of others: those are none of our business."""
    for row in status["unknown_types"]:
        if row["resembles"] and row["lately"]:
            said = f"{row['topic']} has events of the unknown type {row['name']}, which are ignored"
            yield Finding("look", f"{said}: does {row['source']} mean {row['resembles']}?")


def _misnamed(status: Row) -> Iterator[Finding]:
    for row in status["misnamed_fields"]:
        if row["lately"]:
            said = f"{row['topic']} has events of {row['name']}, read without {row['resembles']}"
            yield Finding("look", f"{said}: {row['source']} sends it under another name")


def _places(rows: Iterable[Row]) -> list[Place]:
    return [(row["topic"], row["partition"]) for row in rows]


def _names(rows: Iterable[Row]) -> str:
    return named(_places(rows))


def _all_well(status: Row) -> str:
    partitions, lag = len(status["partitions"]), sum(row["lag"] or 0 for row in status["partitions"])
    read = f"{counted(partitions, 'partition')} {verb(partitions, 'is', 'are')} read"
    return f"{read}, {counted(lag, 'record')} {verb(lag, 'is', 'are')} on {verb(lag, 'its', 'their')} way"
