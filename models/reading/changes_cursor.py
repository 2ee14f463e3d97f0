"""How far a follower has read, as text.

Base64url of 37 bytes: a version, the server's identity (`system_identifier`, which an initdb makes), the place of the
row of the log that was read last and its time in microseconds since 1970, and a checksum. The row itself tells later
whether the log is still the one that was read.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import blake2b
from typing import NamedTuple

VERSION = 1
FORM = struct.Struct(">Bqqqq")
CHECKSUM_BYTES = 3
LENGTH = 48


class LogPlace(NamedTuple):
    """A row of the log. `server` and `at` tell it from one of another history that has the same numbers."""

    server: int
    xid: int
    number: int
    at: int


def changes_cursor(place: LogPlace) -> str:
    """The text, 48 characters of A to Z, a to z, 0 to 9, `-` and `_`."""
    body = FORM.pack(VERSION, *place)
    return urlsafe_b64encode(body + _checksum(body)).decode()


def log_place_of(text: str) -> LogPlace:
    """The place that `changes_cursor` was given. ValueError for anything that is no cursor of changes."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii")) if len(text) == LENGTH else b""
        version, *place = FORM.unpack(raw[: FORM.size])
    except (Error, UnicodeEncodeError, struct.error):
        raise ValueError("not a cursor of changes: pass on the last `cursor`") from None
    if raw[FORM.size :] != _checksum(raw[: FORM.size]) or version != VERSION:
        raise ValueError("not a cursor of changes of this version: read everything again")
    return LogPlace(*place)


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=CHECKSUM_BYTES, person=b"changes cursor").digest()
