"""An entity's story in time: what came when, from where, and what became of it, as far as it is stored or was read."""

from collections.abc import Iterator
from typing import Any

from neon_projector.consumer.admin.explain.search import Searched

Row = dict[str, Any]


def timeline(story: Row, found: Searched) -> list[Row]:
    """Rows of `at`, `what`, `where` (the record's place, or who ran the command) and `outcome`, in order of time.

    The service keeps no trace of an event that it applied, only the row. So the story has what was rejected, what
    waits since when, what operators did, and, where the topics were read, the records themselves.
    """
    return sorted(_entries(story, found), key=lambda entry: entry["at"])


def _entries(story: Row, found: Searched) -> Iterator[Row]:
    told = found.kept.places([*story["dead_letters"], *story["parked"]])
    for letter in story["dead_letters"]:
        what = letter["type"] or "a record that is no event"
        attempts = f", tried {letter['attempts']} times" if letter["attempts"] > 1 else ""
        outcome = f"rejected: {letter['reason']} (dead letter {letter['id']}, {letter['status']}{attempts})"
        yield _entry(letter["created_at"], what, _said(letter), outcome)
    for event in story["parked"]:
        yield _entry(event["since"], f"{event['type']} version {event['version']}", _said(event), "parked")
    for place in found.places.get(story["id"], ()):
        if place.at is not None and place[:3] not in told:
            what = f"{place.type} version {place.version}"
            yield _entry(place.at, what, f"{place.topic}:{place.partition} offset {place.offset}", "published")
    for state in story["aside"]:
        yield _entry(state["since"], f"{state['entity']} version {state['version']}", None, state["reason"])
    for operation in story["operations"]:
        yield _entry(operation["finished_at"], operation["command"], operation["actor"], operation["outcome"])


def _entry(at: Any, what: str, where: str | None, outcome: str) -> Row:
    return {"at": at, "what": what, "where": where, "outcome": outcome}


def _said(row: Row) -> str:
    return f"{row['topic']}:{row['partition']} offset {row['offset']}"
