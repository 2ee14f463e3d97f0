"""Tells what bytes are that are no JSON, or no text: compressed, in another encoding, cut, several texts in one."""

import re

from neon_projector.projections.contract.outcome import Rejected
from neon_projector.projections.contract.words.of_values import (
    COMPRESSED,
    CUT,
    EMPTY,
    MARKED,
    MORE,
    NO_VALUE,
    NOT_JSON,
    NOT_UTF_8,
    NUL,
    SINGLE_QUOTES,
    UTF_16,
    XML,
)

PACKED = {
    b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"BZh": "bzip2",
    b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"\x82SNAPPY": "snappy",
}  # fmt: skip
"""The first bytes of compressed data."""
_UTF_16 = re.compile(rb"\xff\xfe|\xfe\xff|[{\[]\0[\x09-~]\0|\0[{\[]\0[\x09-~]")
"""UTF-16, with its mark or without: JSON begins with two characters of ASCII."""
_BEGINNINGS = {"": EMPTY, "\ufeff": MARKED, "<": XML}
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NO_VALUE = re.compile(r"-?(?:NaN|Infinity|nan|inf|None|True|False|undefined)\b")


def is_utf_16(value: bytes) -> bool:
    """Whether `value` begins as JSON in UTF-16 does."""
    return _UTF_16.match(value) is not None


def not_text(value: bytes) -> Rejected:
    """The rejection of JSON with a NUL."""
    found = _NUL.search(value)
    assert found is not None, "there is one"
    return NUL.rejected(at=found.end() - len(rb"\u0000"))


def not_json(value: bytes, error: ValueError) -> Rejected:
    """The rejection of `value`, about which the parser said `error` (with the character's number in `pos`)."""
    for beginning, name in PACKED.items():
        if value.startswith(beginning):
            return COMPRESSED.rejected(came=name)
    if is_utf_16(value):
        return UTF_16.rejected()
    try:
        text = value.decode()
    except UnicodeDecodeError as wrong:
        return NOT_UTF_8.rejected(at=wrong.start)
    return _no_json_in(text, str(error), getattr(error, "pos", 0))


def _no_json_in(text: str, said: str, at: int) -> Rejected:
    if (known := _BEGINNINGS.get(text.lstrip()[:1])) is not None:
        return known.rejected()
    for start in (at, at - 1):  # the parser stands behind the minus
        if start >= 0 and _NO_VALUE.match(text, start):
            return NO_VALUE.rejected(at=start)
    if text[at : at + 1] == "'":
        return SINGLE_QUOTES.rejected(at=at)
    if "after document" in said or "Extra data" in said:
        return MORE.rejected(at=at)
    if "end of data" in said or at >= len(text.rstrip()):
        return CUT.rejected(at=len(text))
    return NOT_JSON.rejected(at=at)
