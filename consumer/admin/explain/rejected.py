"""What to say of the rejected records of an entity, and what to run."""

from collections.abc import Iterable
from typing import Any

from neon_projector.consumer.wording import counted, verb
from neon_projector.projections.contract.outcome import Reason

Row = dict[str, Any]

NAMED = 10
"""So many dead letters are named one by one."""
BY_THEMSELVES = frozenset({
    Reason.SCHEMA_REGISTRY_FRAMING, Reason.UNSUPPORTED_FORMAT, Reason.INVALID_JSON, Reason.INVALID_TEXT,
    Reason.INVALID_ENVELOPE, Reason.INVALID_DATA, Reason.MISSING_TIME, Reason.KEY_MISMATCH, Reason.SUBJECT_MISMATCH,
})  # fmt: skip
"""Records that are bad whatever is stored and set: a retry rejects them again, until a version of the service reads
them. So their publisher has to send them again."""


def new(letters: Iterable[Row]) -> list[Row]:
    """Those that nobody has dealt with."""
    return [letter for letter in letters if letter["status"] == "new"]


def said(letters: list[Row]) -> str:
    """`a rejected record (users:0 offset 3: invalid_json)`, or how many there are."""
    if len(letters) > 1:
        return counted(len(letters), "rejected record")
    (one,) = letters
    return f"a rejected record ({one['topic']}:{one['partition']} offset {one['offset']}: {one['reason']})"


def may_be_missing(letters: list[Row]) -> str:
    """That they may be what others wait for, and whose turn it is; nothing where there are none."""
    if not letters:
        return ""
    them = verb(len(letters), "it", "them")
    ask = f": ask the publisher to send {them} again, corrected, with the same version" if _hopeless(letters) else ""
    return f"{said(letters)} may be what is missing{ask}"


def beside(letters: list[Row]) -> str:
    """What to say where the entity misses nothing that is known of."""
    them = verb(len(letters), "it", "them")
    return f"{said(letters)} of it" + (f" (if sent again since, discard {them})" if _hopeless(letters) else "")


def next_of(letters: list[Row], *, misses: bool = True) -> list[str]:
    """The commands: what would become of each, in a dry run; where no retry can help, what is in the record, and where
    the entity `misses` nothing, how to give the letters up."""
    numbers = " ".join(str(letter["id"]) for letter in letters[:NAMED])
    if not _hopeless(letters):
        return [f"projector dead-letters retry {numbers}"]
    shown = f"projector dead-letters show {letters[-1]['id']}"
    return [shown] if misses else [shown, f"projector dead-letters discard {numbers}"]


def _hopeless(letters: list[Row]) -> bool:
    return all(letter["reason"] in BY_THEMSELVES for letter in letters)
