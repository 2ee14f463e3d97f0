"""What the numbers of `status` mean, in a sentence each, the worst first, and the next command."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from neon_projector.consumer.admin.group_protocols import CLASSIC
from neon_projector.consumer.offsets.intake_stops import ALL, FUSE, PAUSED, Stop

Row = dict[str, Any]

BEHIND_SECONDS = 60.0
"""A partition whose oldest record waits longer is behind."""
NAMED = 3
"""So many partitions are named one by one."""

WHY_STOPPED = {
    "position_not_in_topic": "Kafka does not have the record at the position (any more)",
    "topic_changed": "the topic was deleted and created again",
    "unreadable": "Kafka has the next records, but they can't be read; the service's log names them",
}
LISTS_LETTERS = "projector dead-letters list"
WATCHES = "projector status --watch"


class Finding(NamedTuple):
    """One thing to know. `level`: `stopped` (records are not applied), `behind`, `look` (somebody has to decide) or
    `ok`. `next`: the command that shows more or helps, None where there is none."""

    level: str
    says: str
    next: str | None = None


def findings(status: Row) -> list[Finding]:
    """Everything that is worth a sentence in the answer of `status_of`, the worst first; never empty."""
    found = [*_stopped(status), *_unread(status), *_behind(status), *_to_decide(status)]
    return found or [Finding("ok", _all_well(status))]


def lifted_by(topic: str) -> str:
    """The command that lifts a stop of `topic`, or of all topics."""
    return "projector resume" if topic == ALL else f"projector resume --topic {topic}"


def _stopped(status: Row) -> Iterator[Finding]:
    absent = [row for row in status["partitions"] if row["stopped"] and row["latest"] is None]
    if absent:
        yield Finding("stopped", f"Kafka does not have {_names(absent)}: create the topic again, or set its right name")
    for reason, why in WHY_STOPPED.items():
        rows = [row for row in status["partitions"] if row["stopped"] == reason and row not in absent]
        if rows:
            scope = " ".join(f"--topic {row['topic']}:{row['partition']}" for row in rows[:NAMED])
            move = f"projector offsets reset {scope} --to-earliest"
            verb = "is" if len(rows) == 1 else "are"
            yield Finding("stopped", f"{_names(rows)} {verb} stopped: {why}", None if reason == "unreadable" else move)
    if (protocol := status["group"]["protocol"]) != CLASSIC:
        other = f"another client uses this group, with the protocol {protocol}"
        yield Finding("stopped", f"{other}: give this service a group of its own (KAFKA_GROUP_ID), or stop the other")
    for stop in status["intake"]:
        if stop.reason == FUSE:
            topic = "" if stop.topic == ALL else f" --topic {stop.topic}"
            yield Finding("stopped", f"the fuse has stopped {_topics(stop)}", LISTS_LETTERS + topic)
        elif stop.reason == PAUSED:
            yield Finding("stopped", f"{_topics(stop)} is paused{_by(stop)}", lifted_by(stop.topic))


def _topics(stop: Stop) -> str:
    return "the intake of all topics" if stop.topic == ALL else f"the intake of {stop.topic}"


def _by(stop: Stop) -> str:
    return (f" by {stop.actor}" if stop.actor else "") + (f" ({stop.message})" if stop.message else "")


def _unread(status: Row) -> Iterator[Finding]:
    group = status["group"]
    if not group["members"]:
        yield Finding("stopped", "no instance of the service is in the group", "projector run")
    elif group["state"] != "Stable":
        yield Finding("behind", f"the group divides its partitions ({group['state']})", WATCHES)
    elif unread := [row for row in status["partitions"] if row["member"] is None]:
        yield Finding("stopped", f"no instance reads {_names(unread)}", WATCHES)


def _behind(status: Row) -> Iterator[Finding]:
    late = [row for row in status["partitions"] if (row["lag_seconds"] or 0) > BEHIND_SECONDS]
    if late:
        records, oldest = sum(row["lag"] for row in late), max(row["lag_seconds"] for row in late)
        said = f"{records:,} records of {_names(late)} are not applied yet, the oldest for {oldest:,.0f} s"
        yield Finding("behind", said, WATCHES)
    held = [row for row in status["partitions"] if (row["open_transaction_seconds"] or 0) > BEHIND_SECONDS]
    if held:
        yield Finding("behind", f"a publisher's open transaction holds back records of {_names(held)}")


def _to_decide(status: Row) -> Iterator[Finding]:
    if lately := status["rejected_lately"]:
        number, most = sum(row["number"] for row in lately), lately[0]
        said = f"{number:,} records were rejected in the last 10 minutes, most: {most['reason']} from {most['source']}"
        yield Finding("look", said, LISTS_LETTERS)
    elif number := status["dead_letters"]:
        yield Finding("look", f"{number:,} dead letters wait for a decision", LISTS_LETTERS)
    if number := status["refused"]:
        yield Finding("look", f"the database refused {number:,} states that had waited", "projector parked retry --all")
    waits = {"parked": status["parked_states"] + status["parked_events"], "contested": status["contested"]}
    if said := " and ".join(f"{number:,} {name}" for name, number in waits.items() if number):
        yield Finding("look", f"{said} wait for what has not come", "projector parked list")


def _names(rows: Iterable[Row]) -> str:
    names = [f"{row['topic']}:{row['partition']}" for row in rows]
    return ", ".join(names) if len(names) <= NAMED else f"{len(names)} partitions"


def _all_well(status: Row) -> str:
    partitions, lag = len(status["partitions"]), sum(row["lag"] or 0 for row in status["partitions"])
    return f"{partitions} partitions are read, {lag:,} records are on their way"
