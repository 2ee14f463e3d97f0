"""Masks secrets in the parts of a record that a dead letter keeps. In any doubt it masks the whole part.

There is no doubt in JSON and in a form (`a=1&b=2`): a field whose name contains the secret's name holds the secret. In
anything else (YAML, XML, CSV, MessagePack, a text that was cut) it is unclear where the value begins and ends, and
whether it follows the name. A masked value is replaced in its place; the rest stays as it is, byte for byte.
"""

import base64
import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import orjson

from neon_projector.projections.contract.broken_json import PACKED

MASK = b'"***"'
LOOKED_THROUGH_BYTES = 256 * 1024
"""A longer text with the name of a secret is masked whole. Encoded names are searched up to this many bytes."""
DATA_BASE64 = "data_base64"
"""CloudEvents' field for binary data. It is always masked, because this module does not decode it."""
_PACKED = tuple(PACKED)
"""The first bytes of compressed data, which is masked whole."""

_STRING = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(\s*+:\s*+)?', re.DOTALL)
"""A JSON string, with the colon behind it if it is a field's name."""
_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}\s]++")
_FORM = re.compile(rb"[\w.\[\]%+~-]++=[^=&\s]*+=*+(?:&[\w.\[\]%+~-]++=[^=&\s]*+=*+)*+")
_ENCODED = re.compile(
    rb"(?<!\\)\\++(?:u00|x)([0-9a-f]{2})|[%=]([0-9a-f]{2})|&\#x0{0,6}([0-9a-f]{2});?|&\#0{0,6}([0-9]{2,3});?",
    re.IGNORECASE,
)
"""A character as JSON, URLs, quoted-printable and HTML may write it. A match starts at the first backslash of a row;
without that rule long rows of backslashes take quadratic time."""


def mask(value: bytes, secrets: Iterable[str]) -> bytes:
    """`value` with the values of the fields `secrets` masked; in any doubt, MASK alone."""
    names = _names(tuple(secrets))
    if not names.all or not (value.startswith(_PACKED) or _stands(value, names)):
        return value
    if len(value) > LOOKED_THROUGH_BYTES:
        return MASK
    if _is_json(value):
        return _in_json(value, names)
    return _in_form(value, names) if _FORM.fullmatch(value) else MASK


def stands(text: str, secrets: Iterable[str]) -> bool:
    """Whether `text` contains a name in `secrets`, in any spelling or encoding known here."""
    return _stands(text.encode("utf-8", "surrogatepass"), _names(tuple(secrets)))


class _Names(NamedTuple):
    all: tuple[bytes, ...]
    in_base64: tuple[bytes, ...]
    any: re.Pattern[bytes]
    """Matches a name, or a sign that one may be encoded. A text without a match needs no further search."""


@cache
def _names(secrets: tuple[str, ...]) -> _Names:
    every = tuple(name.lower().encode() for name in (*secrets, DATA_BASE64)) if secrets else ()
    spelled = {way(name) for name in secrets for way in (str.lower, str.upper, str.capitalize)}
    packed = tuple(sorted(form for name in spelled for form in _in_base64(name.encode()) if len(form) > 5))
    either = [b"(?i:" + b"|".join(map(re.escape, every)) + b")", *map(re.escape, packed), rb"[\\%=\0]|&\#"]
    return _Names(every, packed, re.compile(b"|".join(either)))


def _in_base64(name: bytes) -> Iterable[bytes]:
    """What Base64 makes of `name` wherever it begins: the characters that nothing around it has a part in."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + name).rstrip(b"=")
        yield encoded[-(-before * 8 // 6) : (before + len(name)) * 8 // 6]


def _stands(value: bytes, names: _Names) -> bool:
    if any(form in value for form in names.in_base64):
        return True
    text = value.lower()
    for _ in range(3):  # up to two encodings, one inside the other
        wide = text.replace(b"\0", b"") if b"\0" in text else text  # UTF-16 and the like have NULs
        if any(name in wide for name in names.all):
            return True
        wide = wide[:LOOKED_THROUGH_BYTES]
        if (plain := _ENCODED.sub(_decoded, wide).lower()) == wide:
            return False
        text = plain
    return any(name in text for name in names.all)


def _decoded(found: re.Match[bytes]) -> bytes:
    hexadecimal = found[1] or found[2] or found[3]
    return bytes([int(hexadecimal, 16) if hexadecimal else min(int(found[4]), 255)])


def _is_json(value: bytes) -> bool:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True


def _in_json(value: bytes, names: _Names) -> bytes:
    kept, copied, at = [], 0, 0
    while (found := _STRING.search(value, at)) is not None:
        at = found.end()
        text = found[1]
        if names.any.search(text) is None or not _stands(_unescaped(text), names):
            continue
        if found[2] is not None:
            start, at = at, _end_of_value(value, at)
        elif _is_structure(text):  # JSON inside a string contains the secret itself
            start = found.start()
        else:
            return MASK  # the name is a value, so the secret may be anywhere
        kept += [value[copied:start], MASK]
        copied = at
    return b"".join((*kept, value[copied:])) if kept else MASK


def _unescaped(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    unescaped: str = orjson.loads(b'"' + text + b'"')
    return unescaped.encode()


def _is_structure(text: bytes) -> bool:
    inner = _unescaped(text).strip()
    return inner[:1] in (b"{", b"[") and _is_json(inner)


def _end_of_value(value: bytes, start: int) -> int:
    if value[start : start + 1] not in (b"{", b"["):
        found = (_BRACKET if value[start : start + 1] == b'"' else _SCALAR).match(value, start)
        assert found is not None, "it is JSON"
        return found.end()
    depth = 0
    for found in _BRACKET.finditer(value, start):
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    raise AssertionError("it is JSON")


def _in_form(value: bytes, names: _Names) -> bytes:
    fields = []
    for field in value.split(b"&"):
        name, _, content = field.partition(b"=")
        if names.any.search(content) and _stands(content, names):
            return MASK
        secret = names.any.search(name) and _stands(name, names)
        fields.append(name + b"=" + MASK if secret else field)
    return b"&".join(fields)
