"""Sentences about a record's value as bytes, and as JSON."""

from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.words.word import Word

_JSON, _TEXT = (Reason.INVALID_JSON,), (Reason.INVALID_TEXT,)
_SERIALIZER = "A serializer with a schema registry is set for values."
_NO_SCHEMA = "Set a plain serializer (bytes or string), and give it the event as JSON. No schema registry is read."

TOO_LARGE = Word(
    (Reason.TOO_LARGE,),
    "the value: at most {most} bytes, {came} came",
    "The event carries more than `EVENT_MAX_BYTES`.",
    "Send less in one event, a link to a file instead of the file. An operator can raise `EVENT_MAX_BYTES`.",
)
FRAMED = Word(
    (Reason.SCHEMA_REGISTRY_FRAMING,),
    "the value: JSON, a schema registry's framing came (byte 0, and a schema id of 4 bytes)",
    _SERIALIZER,
    _NO_SCHEMA,
)
FRAMED_BY_UUID = Word(
    (Reason.SCHEMA_REGISTRY_FRAMING,),
    "the value: JSON, a schema registry's framing came (byte 1, and a schema id of 16 bytes)",
    _SERIALIZER,
    _NO_SCHEMA,
)
COMPRESSED = Word(
    _JSON,
    "the value: JSON, bytes compressed by {came} came",
    "The application compresses the value itself.",
    "Send the JSON as it is, and let the Kafka client compress (`compression.type`): that is read.",
)
EMPTY = Word(_JSON, "the value: JSON, nothing came", "The value is empty, or only spaces.", "Send the event as JSON.")
MARKED = Word(
    _JSON,
    "the value: JSON, a byte order mark before it came",
    "The text was written as UTF-8 with a mark (BOM), as Windows programs do.",
    "Encode without the mark: `utf-8`, not `utf-8-sig`.",
)
UTF_16 = Word(
    _JSON,
    "the value: JSON in UTF-8, UTF-16 came",
    "The text is encoded as UTF-16, the inner form of strings in Windows, .NET and Java.",
    'Encode it as UTF-8: `getBytes(StandardCharsets.UTF_8)`, `encode("utf-8")`.',
)
NOT_UTF_8 = Word(
    _JSON,
    "the value: JSON in UTF-8, another encoding came (from byte {at} on, the first is byte 0)",
    "The text is in Latin-1 or Windows-1252, or was cut within a character, or the value is no text.",
    "Encode it as UTF-8.",
)
XML = Word(_JSON, "the value: JSON, XML or HTML came", "Another format, or a web server's error page.", "Send JSON.")
CUT = Word(
    _JSON,
    "the value: JSON, it ends too early (after {at} characters)",
    "The text was cut: by a buffer or a column of limited length, say.",
    "Send the whole text. If it comes from an outbox table, give its column no length.",
)
MORE = Word(
    _JSON,
    "the value: one JSON text, more came behind it (from character {at} on, the first is 0)",
    "Several events in one record, as JSON lines say; or something left over in a buffer.",
    "Send each event as a record of its own.",
)
NO_VALUE = Word(
    _JSON,
    "the value: JSON, NaN, Infinity or a programming language's None, True, False or undefined came (character {at})",
    "The text is the printed form of a value (`str(event)` in Python), or a number is NaN.",
    "Write it with a JSON library (`json.dumps(event, allow_nan=False)`).",
)
SINGLE_QUOTES = Word(
    _JSON,
    "the value: JSON with double quotes, a single quote came (character {at})",
    "The text is the printed form of a value (`str(event)` in Python, a literal of JavaScript).",
    "Write it with a JSON library (`json.dumps(event)`, `JSON.stringify(event)`).",
)
NOT_JSON = Word(
    _JSON,
    "the value: JSON, something else came (at character {at}, the first is 0)",
    "The text was put together by hand, or is no JSON at all.",
    "Write it with a JSON library.",
)
TOO_DEEP = Word(
    _JSON,
    "the value: at most {most} levels of arrays and objects, more came",
    "A structure that contains itself was written out, in an unknown field say.",
    "Leave that field out.",
)
NUL = Word(
    _TEXT,
    "the value: text without NUL characters, one came (\\u0000 at byte {at}, the first is 0)",
    "Text from a field of fixed length in C, or from binary data. Postgres can't store it.",
    "Remove the character before sending.",
)
SURROGATE = Word(
    _TEXT,
    "the value: text, half of a character came (a lone surrogate)",
    "A string was cut within a character, an emoji say, in a language whose strings are UTF-16.",
    "Cut strings between characters, not between units of UTF-16.",
)
HEADER_NAME = Word(
    _TEXT,
    "a header: a name in UTF-8, another encoding came",
    "Header names are written as bytes of another encoding.",
    "Use plain ASCII names.",
)
HEADER_TEXT = Word(
    _TEXT,
    "header {name}: UTF-8, another encoding came (from byte {at} on, the first is 0)",
    "A header's value is binary, or in Latin-1.",
    "Encode the values of `ce_` headers and `content-type` as UTF-8; put other bytes into headers of other names.",
)
HEADER_NUL = Word(
    _TEXT,
    "header {name}: text without NUL characters, one came (byte {at}, the first is 0)",
    "A number of several bytes, or a C string with its end, was written as a header.",
    "Write the value as text.",
)
