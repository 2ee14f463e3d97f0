"""Which records can be of given ids: told from their bytes, many records at a time, without decoding them.

It may say yes in vain, but never no where the contract (`decode.py`) would find an event of one of these ids, or an
event that names one in another field. An id is written as 32 hexadecimal digits, small or capital, with or without its
four dashes (what may stand around them does not matter here). JSON may write each character as an escape (`\\u0061`),
and `data_base64` hides all of it.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import product
from uuid import UUID

from neon_projector.consumer.kafka.needles import Needles
from neon_projector.projections.contract.record import Record

MANY = 10_000
"""Of more ids each record is decoded: its batch has one of them anyway."""
_BASE64, _ESCAPE = b"_base64", rb"\u00"
_HIDING = [_BASE64, _ESCAPE]
_OF_AN_ID = re.compile(rb"2d|3\d|[46][1-6]|7[34]|5f", re.IGNORECASE)
"""Behind `\\u00`: a character of an id, or of `data_base64`."""
_IDS = re.compile(rb"(?=([0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}))")
_LONGEST = 36
_ANCHOR = 6


class Mentions:
    """`ids`, and `texts`: bytes that are looked for as they are."""

    def __init__(self, ids: Collection[UUID], texts: Iterable[bytes] = ()) -> None:
        self._ids = {one.hex.encode() for one in ids}
        anchors = sorted({form for one in ids for form in _anchor(one)})
        self._needles, self._texts = Needles([*_HIDING, *anchors]), Needles(texts)

    @classmethod
    def unless_many(cls, ids: Collection[UUID], texts: Collection[bytes] = ()) -> "Mentions | None":
        """None of so many that each record is to be decoded."""
        return cls(ids, texts) if len(ids) + len(texts) <= MANY else None

    def any_in(self, data: bytes) -> bool:
        """Whether one of the records in `data` can be of an id. `data` are the bytes of any number of them."""
        for number, start, end in self._needles.places(data):
            if self._hides(number, data, end) if number < len(_HIDING) else self._stands_around(data, start, end):
                return True
        return any(True for _ in self._texts.places(data))

    def of(self, record: Record) -> bool:
        """Whether this record can be of an id."""
        return self.any_in(record.value or b"") or self.any_in(record.key or b"")

    def plainly(self, record: Record) -> bool:
        """Whether the record's key or value has an id in its own characters, or a text."""
        return any(
            any(self._stands_around(data, start, end) for _, start, end in self._needles.places(data))
            or any(True for _ in self._texts.places(data))
            for data in (record.key or b"", record.value or b"")
        )

    def _hides(self, number: int, data: bytes, end: int) -> bool:
        return _HIDING[number] is _BASE64 or _OF_AN_ID.match(data, end) is not None

    def _stands_around(self, data: bytes, start: int, end: int) -> bool:
        around = data[max(0, start - _LONGEST) : end + _LONGEST].lower()
        return any(found.replace(b"-", b"") in self._ids for found in _IDS.findall(around))


class Keyed:
    """In the place of Mentions where it is known how keys are written: looks for these bytes as they are."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = frozenset(keys)
        self._lengths = {len(key) for key in self._keys}
        self._needles = Needles(sorted({key[:_ANCHOR] for key in self._keys}))

    def any_in(self, data: bytes) -> bool:
        """Whether one of the records in `data` has one of the keys, or names it as it is."""
        return any(
            data[at : at + length] in self._keys
            for _, start, end in self._needles.places(data)
            for at in range(start, end)
            for length in self._lengths
        )

    def of(self, record: Record) -> bool:
        """Whether this record does."""
        return record.key in self._keys or self.any_in(record.value or b"")


def _anchor(one: UUID) -> Iterator[bytes]:
    """A part of the id that is in all its forms, in small and capital letters: as few as possible, but one at least, as
    rows of digits are in every time."""
    groups = (str(one)[:8], str(one)[-12:])
    parts = [group[n : n + _ANCHOR] for group in groups for n in range(len(group) - _ANCHOR + 1)]
    letters = {part: sum(c.isalpha() for c in part) for part in parts}
    part = min(parts, key=lambda part: letters[part] or _ANCHOR)
    for row in product(*({c, c.upper()} for c in part)):
        yield "".join(row).encode()
