"""What fails, and what waits for a decision: each with its words, the command, and the section of the runbook."""

from collections.abc import Iterator
from typing import NamedTuple

from neon_projector.consumer.offsets.intake_stops import ACCEPTED, FUSE, lifted_by
from neon_projector.consumer.remedies import (
    SAYS_WHO_SENDS,
    WHY_STOPPED,
    intake,
    looked_into_by,
    moved_by,
    named,
    shows_letters,
)
from neon_projector.consumer.telemetry.state import ServiceState
from neon_projector.consumer.wording import counted, span, verb

STATUS, PARTITIONS = "projector status", "projector status --partitions"
STARTS_WITHIN_SECONDS = 60.0
"""So long after its start an instance that has not joined the group is starting."""
OPEN_SECONDS = 60.0
"""An open transaction that holds records back for longer is worth a line."""


class Finding(NamedTuple):
    """One thing to know. `level`: `stopped` (records are not applied), `behind` or `look` (somebody has to decide).

    `check` is the check of readiness that fails, None for what is not one; `short` says it in few words. `runbook` is a
    section of docs/runbook.md.
    """

    level: str
    check: str | None
    short: str
    says: str
    command: str
    runbook: str


def findings(state: ServiceState, max_lag_seconds: float | None, now: float) -> list[Finding]:
    """The worst first; empty: all is well."""
    failed = state.ready_checks(max_lag_seconds)
    found = [*_of_checks(state, failed, now)]
    if "intake" in failed:
        found += _stops(state, failed["intake"], now)
    if "partitions" in failed:
        found += _stopped_partitions(state)
    found += [*_held_back(state), *_to_decide(state)]
    return sorted(found, key=lambda one: ("stopped", "behind", "look").index(one.level))


def _of_checks(state: ServiceState, failed: dict[str, str], now: float) -> Iterator[Finding]:
    if (why := failed.get("loop")) is not None:
        says = f"its loop {why}; restart this instance"
        yield Finding("stopped", "loop", "this instance is stuck", says, STATUS, "stalled")
    if (why := failed.get("writes")) is not None:
        section = "databasedown" if state.trouble else "stalled"
        yield Finding("stopped", "writes", "nothing can be written", f"a write fails: {why}", STATUS, section)
    if (why := failed.get("kafka")) is not None:
        says = f"Kafka does not answer: {why}"
        yield Finding("stopped", "kafka", "Kafka does not answer", says, STATUS, "kafkadown")
    if (why := failed.get("topics")) is not None:
        first, more, _ = why.partition("; ")
        short = f"{first}, and others" if more else first
        yield Finding("stopped", "topics", short, why, PARTITIONS, "partitionunread")
    if "group" in failed and "loop" not in failed:
        young = now - state.started_at < STARTS_WITHIN_SECONDS
        short = "this instance joins the group" if young else "this instance is not in the group"
        says = "the group of consumers divides its partitions, or this instance can't reach it"
        yield Finding("behind", "group", short, says, STATUS, "stalled")
    if (why := failed.get("lag")) is not None:
        yield Finding(
            "behind", "lag", "it takes too long", f"the oldest record waits for {why}", SAYS_WHO_SENDS, "freshnessslow"
        )


def _stops(state: ServiceState, why: str, now: float) -> Iterator[Finding]:
    stops, letters = [stop for stop in state.stops if stop.reason != ACCEPTED], any(state.letters.values())
    for stop in stops:
        ago = f"{span(now - stop.since.timestamp())} ago"
        if stop.reason == FUSE:
            message = f" ({stop.message})" if stop.message else ""
            short = f"the fuse has stopped {intake(stop.topic)}, {ago}"
            why = f"nearly all records are rejected{message}; `{lifted_by(stop.topic)}` once the cause is gone"
            says = f"{short}: {why}"
        else:
            short = f"{intake(stop.topic).removeprefix('the ')} paused {ago} by an operator"
            says = f"an operator has paused {intake(stop.topic)}, {ago}; it goes on with this command"
        yield Finding(
            "stopped", "intake", short, says, looked_into_by(stop, letters=letters) or STATUS, "intakestopped"
        )
    if not stops:
        yield Finding("stopped", "intake", f"intake is {why}", f"intake is {why}", STATUS, "intakestopped")


def _stopped_partitions(state: ServiceState) -> Iterator[Finding]:
    stopped = dict(state.stopped_partitions)
    every = {*stopped, *state.positions}.union(*(member.partitions for member in state.members))
    for reason, why in WHY_STOPPED.items():
        if own := sorted(p for p, its in stopped.items() if its == reason):
            short = f"{named(own)} {verb(len(own), 'is', 'are')} not read"
            command = moved_by(own, every, reason) or "projector offsets show"
            yield Finding("stopped", "partitions", short, f"{named(own)}: {why}", command, "partitionstopped")


def _held_back(state: ServiceState) -> Iterator[Finding]:
    held = sorted(p for p, (_, seconds) in dict(state.open_transactions).items() if seconds > OPEN_SECONDS)
    if held:
        says = f"a publisher's open transaction holds back records of {named(held)}"
        yield Finding("behind", None, says, says, PARTITIONS, "laggrowing")


def _to_decide(state: ServiceState) -> Iterator[Finding]:
    if number := sum(state.letters.values()):
        says = f"{counted(number, 'dead letter')} {verb(number, 'waits', 'wait')} for a decision"
        yield Finding("look", None, says, says, shows_letters(number), "rejectionshigh")
    if number := state.waiting.get("refused", 0):
        says = f"the database refused {counted(number, 'state')} that had waited"
        yield Finding("look", None, says, says, "projector parked retry --all", "parkedtooold")
