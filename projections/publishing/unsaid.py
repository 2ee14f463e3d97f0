"""The rules of the contract that a schema can't state: they are said in words, in every document of the contract."""

from typing import NamedTuple

from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.words import of_data, of_envelopes, of_states, of_values
from neon_projector.projections.contract.words.find import word_of, words_of
from neon_projector.projections.contract.words.word import Word


class Unsaid(NamedTuple):
    """A rule in words, the reasons of the dead letters that break it (none: it is no reason to reject), and what these
    say."""

    rule: str
    reasons: tuple[Reason, ...]
    words: tuple[Word, ...] = ()
    field: str = ""
    """The one that it is about, where the schema states the same about others."""


UNSAID = (
    Unsaid("The record's key is `data.id` as text.", (Reason.KEY_MISMATCH,), (of_envelopes.KEY,)),
    Unsaid("`subject`, where there is one, is `data.id`.", (Reason.SUBJECT_MISMATCH,), (of_envelopes.SUBJECT,)),
    Unsaid(
        "Versions have no gaps: each change of an entity has the next number. A partial event behind a gap waits for "
        "what is missing, or for a complete event.",
        (),
    ),
    Unsaid(
        "A version has one content. The same event may be sent again; only times may differ then.",
        (Reason.VERSION_CONFLICT,),
        (of_states.CONFLICT, of_states.PARKED_CONFLICT),
    ),
    Unsaid(
        "A partial event has version 2 or a higher one: before version 1 is nothing to change.",
        (Reason.INVALID_DATA,),
        (of_data.NOTHING_BEFORE,),
    ),
    Unsaid(
        "After a deletion comes no partial event, but a complete one, or none.",
        (Reason.DELETED, Reason.ERASED),
        (of_states.DELETED, of_states.ERASED),
    ),
    Unsaid("`from_user_id` is the owner at the version before.", (Reason.WRONG_OWNER,), (of_states.WRONG_OWNER,)),
    Unsaid(
        "No text and no name has a NUL character (`\\u0000`) or half of a surrogate pair (`\\ud800`), also in fields "
        "that the contract does not know.",
        (Reason.INVALID_TEXT,),
        (of_values.NUL, of_values.SURROGATE),
    ),
    Unsaid(
        "Header names, and the values of `content-type` and of `ce_` headers, are UTF-8 without a NUL character.",
        (Reason.INVALID_TEXT,),
        (of_values.HEADER_NAME, of_values.HEADER_TEXT, of_values.HEADER_NUL),
    ),
    Unsaid(
        "`version` is written as a whole number: `1`. A schema takes `1.0` for the same; the service does not.",
        (Reason.INVALID_DATA,),
        (of_data.A_WHOLE_NUMBER,),
    ),
    Unsaid(
        "A time exists: not on 30 February, not in the year 0, not after the year 9999.",
        (Reason.INVALID_DATA, Reason.INVALID_ENVELOPE),
        (of_data.NO_SUCH_TIME,),
    ),
    Unsaid(
        "An e-mail address is one that can exist, with at most 254 characters; a schema asks for an `@`.",
        (Reason.INVALID_DATA,),
        (of_data.AN_ADDRESS, of_data.AT_MOST_CHARACTERS),
        "data.email",
    ),
    Unsaid(
        "`data_base64` is whole Base64, and what it encodes keeps the same rules as `data`.",
        (Reason.INVALID_ENVELOPE, Reason.INVALID_DATA, Reason.MISSING_TIME),
        (of_envelopes.NOT_BASE64,),
    ),
    Unsaid(
        "In binary mode, `ce_time` is left out only where the data has all its times.",
        (Reason.MISSING_TIME,),
        (of_data.NO_TIME,),
    ),
    Unsaid(
        "The value is JSON in UTF-8 without a byte order mark, at most 1,000 levels deep.",
        (Reason.INVALID_JSON,),
        tuple(words_of(Reason.INVALID_JSON)),
    ),
    Unsaid(
        "No schema registry's bytes stand before it.",
        (Reason.SCHEMA_REGISTRY_FRAMING,),
        (of_values.FRAMED, of_values.FRAMED_BY_UUID),
    ),
    Unsaid(
        "It is not longer than the service's EVENT_MAX_BYTES: 1 MiB, if nobody changed that.",
        (Reason.TOO_LARGE,),
        (of_values.TOO_LARGE,),
    ),
    Unsaid(
        "The header `content-type` is `application/cloudevents+json`, or `application/json`, or absent.",
        (Reason.UNSUPPORTED_FORMAT,),
        (of_envelopes.STRUCTURED_FORMAT, of_envelopes.VALUE_FORMAT, of_envelopes.BATCH),
    ),
)

BASE64 = next(one for one in UNSAID if of_envelopes.NOT_BASE64 in one.words)

REASONS = frozenset(reason for one in UNSAID for reason in one.reasons)
"""A dead letter of another reason is of an event that the tolerant schema refuses."""


def rule_of(reason: Reason, sentence: str, *, in_base64: bool = False) -> Unsaid | None:
    """Which of these rules a dead letter's sentence says to be broken; None where the schema states that rule.
    `in_base64`: the data was, and no schema looks into it."""
    word = word_of(reason, sentence)
    rules = (one for one in UNSAID if not one.field or sentence.startswith(f"{one.field}:"))
    found = next((one for one in rules if reason in one.reasons and word in one.words), None)
    return BASE64 if found is None and in_base64 and reason in BASE64.reasons else found


def in_words() -> str:
    """As a list in Markdown, each rule with the reason that a dead letter would name."""
    return "\n".join(f"- {one.rule}{_else(one.reasons)}" for one in UNSAID)


def in_a_table() -> str:
    """As the rows of a table in Markdown."""
    return "\n".join(f"| {one.rule} | {', '.join(f'`{reason}`' for reason in one.reasons)} |" for one in UNSAID)


def _else(reasons: tuple[Reason, ...]) -> str:
    return f" Otherwise: {' or '.join(f'`{reason}`' for reason in reasons)}." if reasons else ""
