"""Sentences about the fields of `data`, and of the envelope where it has the same rules."""

from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.words.word import Word

_DATA, _BOTH = (Reason.INVALID_DATA,), (Reason.INVALID_DATA, Reason.INVALID_ENVELOPE)

REQUIRED = Word(
    _BOTH,
    "{field}: required, absent",
    "The field is left out, or has another name (`userId`).",
    "Send it under exactly this name.",
)
MISNAMED = Word(
    _DATA,
    "{field}: absent, {came} came",
    "A JSON library that changes names (`isActive`), or another word for the field (`body`). With other fields it is "
    "said of a rejected event; alone only where `CONTRACT_STRICT` is set: else the event is read without the field.",
    "Send the field under its own name.",
)
NOT_OBJECT = Word(
    _DATA,
    "data: a JSON object, {came} came",
    "JSON in a string: the data was encoded twice.",
    "Put the object itself into `data`.",
)
A_CLOUD_EVENT = Word(
    _DATA,
    "data: the fields of {type}, a whole CloudEvent came",
    "In binary mode (`ce_` headers) the value must be the data alone; or an event was wrapped twice.",
    "Send only the inner object, or leave the `ce_` headers out and send the whole event.",
)
A_STRING = Word(
    _BOTH,
    "{field}: a string, {came} came",
    "Another type of JSON. null is a value for `content` only.",
    "Send a string. Leave the field out where nothing changes.",
)
AT_LEAST_CHARACTERS = Word(
    _BOTH,
    "{field}: at least {least} character, an empty string came",
    "The source allows an empty text here.",
    "Send a text, the id or a dash say; do not skip the event, or its version is a gap.",
)
AT_MOST_CHARACTERS = Word(
    _DATA,
    "{field}: at most {most} characters, {came} came",
    "The source allows longer texts than the table.",
    "Shorten it before sending.",
)
A_WHOLE_NUMBER = Word(
    _DATA,
    "{field}: a whole number, {came} came",
    "The number was written in quotes, or with a decimal point (as a `double`, a `Decimal`).",
    'Send it as `3`, not as `"3"` or `3.0`.',
)
AT_LEAST = Word(
    _DATA,
    "{field}: at least {least}, {came} came",
    "Versions are counted from 0 (Hibernate's `@Version` does).",
    "Send the version + 1, for all events of the entity.",
)
AT_MOST = Word(
    _DATA,
    "{field}: at most {most}, {came} came",
    "A time in nanoseconds or a random number serves as version.",
    "Number the changes of each entity: 1, 2, 3.",
)
TRUE_OR_FALSE = Word(
    _DATA,
    "{field}: true or false, {came} came",
    "The flag was written in quotes, or as 0 and 1.",
    "Send `true` or `false` without quotes; leave the field out where nothing changes.",
)
A_UUID = Word(
    _DATA,
    "{field}: a UUID as a string, {came} came",
    "The entity has another kind of id (a number, a slug).",
    "Make a UUID of it that stays the same: `uuid5` of a namespace of yours and the id.",
)
AN_ADDRESS = Word(
    _DATA,
    "{field}: an e-mail address, {came} came",
    "The text is no address, or more than the address.",
    "Send exactly one address, `name@domain`.",
)
A_TIME = Word(
    _BOTH,
    "{field}: a time as in 2026-11-22T12:00:00Z (RFC 3339), {came} came",
    "A number of seconds or milliseconds, a date without a time, a time without a zone.",
    "Send UTC with `Z`, or a zone as `+01:00`: `datetime.now(UTC).isoformat()`, `Instant.now().toString()`.",
)
LEAP_SECOND = Word(
    _BOTH,
    "{field}: seconds from 00 to 59, a leap second (:60) came",
    "A clock that counts leap seconds. Postgres can't store it.",
    "Send :59.",
)
NO_SUCH_TIME = Word(
    _BOTH,
    "{field}: a time that exists, from year 1 to year 9999, another came",
    "A 30 February, month 13, year 0, or a zone that carries it past year 9999.",
    "Send a time that a calendar has.",
)
NOTHING_CHANGES = Word(
    _DATA,
    "data: at least one of {fields}, none of them came",
    "An update without a change was sent; or the fields have other names.",
    "Send what has changed. To use up a version without a change, send a field with the value that it has.",
)
NOTHING_BEFORE = Word(
    _DATA,
    "data.version: at least 2 for a part of the state ({type}), 1 came",
    "An entity's first event is a change, or a complete `…updated` that lacks a field.",
    "Send the first event as `…created`. An `…updated` is complete with all of its fields and `created_at`.",
)
NO_TIME = Word(
    (Reason.MISSING_TIME,),
    "{field}: required where the event has no time, both are absent",
    "The envelope has no `time`.",
    "Send `time` with each event: it stands for the times that are left out.",
)
BREAKS_A_RULE = Word(
    _DATA,
    "{field}: something that its rule refuses came",
    "A rule of the field that has no sentence of its own. Please report it.",
    "See the rule in [the contract](design.md#the-fields).",
)
