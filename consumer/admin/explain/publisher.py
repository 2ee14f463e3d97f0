"""What to ask of a publisher, in sentences to hand over as they are: of whom, which entity, which version."""

from collections.abc import Iterable
from typing import Any

from neon_projector.consumer.admin.explain.rejected import BY_THEMSELVES, new

Row = dict[str, Any]

NAMED = 10
"""So many versions are named one by one."""
QUOTED = 3
"""Of so many rejected records it is said what is wrong with them."""


def asks(story: Row) -> list[str]:
    """What the publisher of this entity has to send; nothing where that is not known to be what helps: a retry may, or
    the record may not have been read yet."""
    letters = new(story["dead_letters"])
    if any(letter["reason"] not in BY_THEMSELVES for letter in letters):
        return []
    if parked := story["parked"]:
        missing = story["missing_versions"] if letters else [] if _is_unread(story) else never_published(story)
        what = f"{'/'.join(dict.fromkeys(event['entity'] for event in parked))} {story['id']}"
        after = max(event["version"] for event in parked) + 1
        send = f"please publish {versions(missing)} of {what}, or a complete event of version {after} or higher"
        return [". ".join([f"{_whom([*parked, *letters])}: {send}", *map(_said, letters[-QUOTED:])])] if missing else []
    return [] if story["rows"] or story["aside"] else [asked_again(letter) for letter in letters[-QUOTED:]]


def asked_again(letter: Row) -> str:
    """What to ask about one rejected record, which is bad whatever is stored and set (`BY_THEMSELVES`)."""
    of = f" (entity {letter['entity_id']})" if letter["entity_id"] else ""
    return f"{_whom([letter])}: please publish again, corrected, with the same version. {_said(letter)}{of}"


def versions(missing: list[int]) -> str:
    """`version 2, 3`; of many the first, and how many more there are at least."""
    few = len(missing) <= NAMED
    return "version " + (", ".join(map(str, missing)) if few else f"{missing[0]} and {len(missing) - 1} or more others")


def never_published(story: Row) -> list[int]:
    """The missing versions that no record of the topics has; none where the topics were not read."""
    records = story.get("records")
    return [] if records is None else sorted(set(story["missing_versions"]) - {row["version"] for row in records})


def _is_unread(story: Row) -> bool:
    """Whether the service has not read a record of it yet."""
    return any(row["did"] == "unread" for row in story.get("records") or ())


def _said(letter: Row) -> str:
    place = f"{letter['topic']}:{letter['partition']} offset {letter['offset']}"
    return f"{place} was rejected as {letter['reason']}: {letter['error']}"


def _whom(rows: Iterable[Row]) -> str:
    """The CloudEvents `source` of those that came, which names the publisher; a record that is no event has none."""
    sources = sorted({row["source"] for row in rows if row["source"]})
    return f"To the publisher of {' and '.join(sources)}" if sources else "To the publisher"
