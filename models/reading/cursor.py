"""The end of a page as text for URLs: where the next page begins.

Base64url of 30 bytes: a version, a letter for the list, `created_at` in microseconds since 2000, `id`, and a checksum.
The checksum tells a cursor that was cut or mistyped. It is no signature: whoever forges a cursor only chooses where a
page begins, and sees what the filters show. A cursor belongs to its list and not to its filters, so that these may
move along (`created_since` a week ago).
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import AfterValidator

from neon_projector.models.times import from_wire, to_wire

VERSION = 1
FORM = struct.Struct(">Bcq16s")
CHECKSUM_BYTES = 4
LENGTH = 40
LISTS = {"users": b"u", "documents": b"d"}


class Place(NamedTuple):
    """What a list is sorted by: the values of a page's last row."""

    created_at: datetime
    id: UUID


def cursor(table: str, place: Place) -> str:
    """The text, 40 characters of A to Z, a to z, 0 to 9, `-` and `_`."""
    (since,) = to_wire(place.created_at)
    body = FORM.pack(VERSION, LISTS[table], since, place.id.bytes)
    return urlsafe_b64encode(body + _checksum(body)).decode()


def place_of(table: str, text: str) -> Place:
    """The place that `cursor` was given. ValueError for anything that is no cursor of this list."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii")) if len(text) == LENGTH else b""
        body, checksum = raw[: FORM.size], raw[FORM.size :]
        version, letter, since, identity = FORM.unpack(body)
    except (Error, UnicodeEncodeError, struct.error):
        raise ValueError("not a cursor: pass on what a page had as `after`") from None
    if checksum != _checksum(body) or version != VERSION:
        raise ValueError("not a cursor of this version: begin again with the first page")
    if letter != LISTS[table]:
        raise ValueError(f"a cursor of another list: one of {table} is expected")
    try:
        return Place(from_wire((since,)), UUID(bytes=identity))
    except OverflowError:
        raise ValueError("not a cursor: its time is out of range") from None


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=CHECKSUM_BYTES, person=b"projector cursor").digest()


def _checked(table: str, text: str) -> str:
    place_of(table, text)
    return text


UsersCursor = Annotated[str, AfterValidator(partial(_checked, "users"))]
DocumentsCursor = Annotated[str, AfterValidator(partial(_checked, "documents"))]
"""Parameters of a request: what is no cursor of the list is a 422 in FastAPI."""
