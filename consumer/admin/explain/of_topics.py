"""What the topics add to the conclusion about an entity, and what they can't tell."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from neon_projector.consumer.admin.explain.gone import brings_back
from neon_projector.consumer.admin.explain.publisher import NAMED, never_published
from neon_projector.consumer.admin.explain.rejected import said
from neon_projector.consumer.admin.explain.search import Searched
from neon_projector.consumer.wording import verb

Row = dict[str, Any]

GAPS = 3
"""So many reasons are named why the topics can't tell all."""


class Part(NamedTuple):
    """One part of the sentence; `next` and `waits` are as in `Conclusion`."""

    says: str
    next: str | None = None
    waits: bool = False


def records(story: Row) -> Iterator[Part]:
    """What the records themselves add, where they were read."""
    records = story.get("records")
    if records is None:
        return
    unread = [row for row in records if row["did"] == "unread"]
    if unread:
        where = f"from {unread[0]['topic']}:{unread[0]['partition']} offset {unread[0]['offset']} on"
        are = verb(len(unread), "is", "are")
        yield Part(f"{len(unread):,} of its records {are} not read yet, {where}", "projector status", waits=True)
    if absent := never_published(story):
        few = ", ".join(map(str, absent[:NAMED]))
        ask = "ask its publisher to send that, or a complete event"
        yield Part(f"the topics have no event of version {few}: {ask}")
    missing = [row for row in records if row["did"] == "missing"]
    if missing and (story["rows"] or story["aside"]):
        last = max(row["version"] for row in missing)
        says = f"version {last} was read, but an older one is stored: the row was changed by hand, or put back"
        yield Part(says, brings_back(story["id"]), waits=True)
    if not records:
        yield Part("the topics have no record of it")


def nothing(story: Row, found: Searched) -> Part:
    """Where the database has neither a state nor a parked event of it."""
    letters = story["dead_letters"]
    nothing = f"nothing but {said(letters)} has come of it" if letters else "nothing is known of it"
    read = None if letters or "records" in story else f"projector explain {story['id']} --from-topic"
    return Part(perhaps(nothing, found), read)


def perhaps(nothing: str, found: Searched) -> str:
    """That nothing has come is sure only where the topics were read to their end."""
    if found.places and not found.gaps:
        return nothing
    why = _gaps(found) or "the topics were not read"
    return f"{nothing}, or its row was deleted by hand or by another program ({why})"


def _gaps(found: Searched) -> str:
    """Why there may be more than was found; of many reasons the first ones."""
    more = len(found.gaps) - GAPS
    return "; ".join(found.gaps[:GAPS] + ([f"and {more} more, which --json has"] if more > 0 else []))


def left_open(story: Row, found: Searched, parts: Iterable[Part]) -> Iterator[Part]:
    """That the topics can't tell all, where they were read for it, and none of `parts` says it."""
    if "records" in story and found.gaps and not any(_gaps(found) in part.says for part in parts):
        yield Part(f"the topics can't tell all of it ({_gaps(found)})")
