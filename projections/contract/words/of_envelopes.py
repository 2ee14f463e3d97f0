"""Sentences about the envelope: the CloudEvents attributes, in the value or in the headers."""

from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.words.word import Word

_ENVELOPE, _FORMAT = (Reason.INVALID_ENVELOPE,), (Reason.UNSUPPORTED_FORMAT,)

BATCH = Word(
    (Reason.INVALID_ENVELOPE, Reason.UNSUPPORTED_FORMAT),
    "the value: one event as a JSON object, a batch came{many}",
    "Several events were sent as one array (`application/cloudevents-batch+json`).",
    "Send each event as a record of its own.",
)
NOT_AN_OBJECT = Word(
    _ENVELOPE,
    "the value: an event as a JSON object, {came} came",
    "JSON in a string: the event was encoded twice, by the application and by the producer's JSON serializer.",
    "Give the JSON serializer the object itself, or use a plain (string or bytes) serializer.",
)
BARE = Word(
    _ENVELOPE,
    "the value: a CloudEvent, {came} came",
    "The data was sent without an envelope, or a connector's own form was.",
    "Put it into an envelope: `specversion`, `id`, `source`, `type`, `time` and `data`; or send `ce_` headers.",
)
HTTP_HEADERS = Word(
    _ENVELOPE,
    "headers: ce_ before the attributes' names, {came} came",
    "`ce-` is the prefix of HTTP, `cloudEvents:` that of AMQP.",
    "Name the headers `ce_specversion`, `ce_id`, `ce_source`, `ce_type`, `ce_time`.",
)
TWO_MODES = Word(
    _ENVELOPE,
    "{field}: required, absent, and the value is itself a CloudEvent",
    "Some `ce_` headers were added to an event that is in the value (structured mode).",
    "Leave the `ce_` headers out, or add the header `content-type: application/cloudevents+json`.",
)
SPECVERSION = Word(
    _ENVELOPE,
    "{prefix}specversion: {wanted}, {came} came",
    "A number instead of a string; quotes that are part of a header's value; another version of CloudEvents.",
    '`"specversion": "1.0"` in JSON; in a header the three characters `1.0`.',
)
STRUCTURED_FORMAT = Word(
    _FORMAT,
    "content-type: application/cloudevents+json, CloudEvents in {came} came",
    "The CloudEvents library is set to another format.",
    "Choose its JSON format.",
)
VALUE_FORMAT = Word(
    _FORMAT,
    "content-type: application/cloudevents+json or application/json, {came} came",
    "The header says that the value is not JSON.",
    "Set the header to what the value is, or leave it out.",
)
DATA_FORMAT = Word(
    _FORMAT,
    "{field}: application/json, {came} came",
    "`datacontenttype`, or in binary mode `content-type`, says that the data is not JSON.",
    "Send the data as JSON and say so, or leave it out.",
)
DATA_TWICE = Word(
    _ENVELOPE,
    "data, data_base64: one of them, both came",
    "The library fills both, one of them with nothing.",
    "Leave `data_base64` out.",
)
NOT_BASE64 = Word(
    _ENVELOPE,
    "data_base64: Base64, another text came",
    "Base64 for URLs (`-` and `_`), line breaks inside, or no Base64.",
    "Send `data` as a JSON object instead.",
)
KEY = Word(
    (Reason.KEY_MISMATCH,),
    "key: the UUID of data.id, {came} came",
    "The record is keyed by something else (its owner, its event), or by a serializer that adds quotes or bytes.",
    "Use `data.id` as the key, as text, with a string serializer. Events of one entity then keep their order.",
)
SUBJECT = Word(
    (Reason.SUBJECT_MISMATCH,),
    "{field}: the UUID of data.id, {came} came",
    "`subject` has a path or another name.",
    "Set `subject` to `data.id`, or leave it out.",
)
