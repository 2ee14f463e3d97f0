"""The rules of the contract that a schema can't state: they are said in words, in every document of the contract."""

from typing import NamedTuple

from neon_projector.projections.contract.outcome import Reason


class Unsaid(NamedTuple):
    """A rule in words, and the reasons of the dead letters that break it; none: it is no reason to reject."""

    rule: str
    reasons: tuple[Reason, ...]


UNSAID = (
    Unsaid("The record's key is `data.id` as text.", (Reason.KEY_MISMATCH,)),
    Unsaid("`subject`, where there is one, is `data.id`.", (Reason.SUBJECT_MISMATCH,)),
    Unsaid(
        "Versions have no gaps: each change of an entity has the next number. A partial event behind a gap waits for "
        "what is missing, or for a complete event.",
        (),
    ),
    Unsaid(
        "A version has one content. The same event may be sent again; only times may differ then.",
        (Reason.VERSION_CONFLICT,),
    ),
    Unsaid(
        "A partial event has version 2 or a higher one: before version 1 is nothing to change.", (Reason.INVALID_DATA,)
    ),
    Unsaid("After a deletion comes no partial event, but a complete one, or none.", (Reason.DELETED, Reason.ERASED)),
    Unsaid("`from_user_id` is the owner at the version before.", (Reason.WRONG_OWNER,)),
    Unsaid(
        "No text and no name has a NUL character (`\\u0000`) or half of a surrogate pair (`\\ud800`), also in fields "
        "that the contract does not know.",
        (Reason.INVALID_TEXT,),
    ),
    Unsaid(
        "`version` is written as a whole number: `1`. A schema takes `1.0` for the same; the service does not.",
        (Reason.INVALID_DATA,),
    ),
    Unsaid(
        "A time exists: not on 30 February, not in the year 0, not after the year 9999.",
        (Reason.INVALID_DATA, Reason.INVALID_ENVELOPE),
    ),
    Unsaid(
        "An e-mail address is one that can exist; the schema asks for little more than an `@`.", (Reason.INVALID_DATA,)
    ),
    Unsaid(
        "`data_base64` is whole Base64, and what it encodes keeps the same rules as `data`.",
        (Reason.INVALID_ENVELOPE, Reason.INVALID_DATA, Reason.MISSING_TIME),
    ),
    Unsaid("In binary mode, `ce_time` is left out only where the data has all its times.", (Reason.MISSING_TIME,)),
    Unsaid("The value is JSON in UTF-8 without a byte order mark, at most 1,000 levels deep.", (Reason.INVALID_JSON,)),
    Unsaid("No schema registry's bytes stand before it.", (Reason.SCHEMA_REGISTRY_FRAMING,)),
    Unsaid("It is not longer than the service's EVENT_MAX_BYTES: 1 MiB, if nobody changed that.", (Reason.TOO_LARGE,)),
    Unsaid(
        "The header `content-type` is `application/cloudevents+json`, or `application/json`, or absent.",
        (Reason.UNSUPPORTED_FORMAT,),
    ),
)

REASONS = frozenset(reason for one in UNSAID for reason in one.reasons)
"""A dead letter of another reason is of an event that the tolerant schema refuses."""


def in_words() -> str:
    """As a list in Markdown, each rule with the reason that a dead letter would name."""
    return "\n".join(f"- {one.rule}{_else(one.reasons)}" for one in UNSAID)


def in_a_table() -> str:
    """As the rows of a table in Markdown."""
    return "\n".join(f"| {one.rule} | {', '.join(f'`{reason}`' for reason in one.reasons)} |" for one in UNSAID)


def _else(reasons: tuple[Reason, ...]) -> str:
    return f" Otherwise: {' or '.join(f'`{reason}`' for reason in reasons)}." if reasons else ""
