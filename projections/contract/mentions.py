"""Which records can be of given ids: told from their bytes, many records at a time, without decoding them.

It may say yes in vain, but never no where the contract (`decode.py`) would find an event of one of these ids, or an
event that names one in another field. An id is written as 32 hexadecimal digits, small or capital, with or without its
four dashes (what may stand around them does not matter here). JSON may write each character as an escape (`\\u0061`),
and `data_base64` hides all of it.
"""

import re
from collections.abc import Collection, Iterable
from uuid import UUID

from neon_projector.projections.contract.byte_search import find
from neon_projector.projections.contract.record import Record

FEW = 8
"""So many ids are looked for one by one. With more, a batch of records may always have one."""
_MANY_KEYS = 40
"""With so many keys, looking for each takes as long as making the records."""
_LEAST_ANCHOR = 3
_VAIN = 64
"""After so many places where an id only seemed to be, the bytes are looked through another way."""
_DIGITS = re.compile(rb"[0-9]+")
_BACKSLASH, _ESCAPE, _BASE64 = b"\\", b"\\u00", b"data_base64"
_ESCAPED = re.compile(rb"\\u00(?:2[dD]|3[0-9]|[46][1-6]|7[34]|5[fF])")
"""A character of an id, or of the name `data_base64`."""
_IDS = re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


class Mentions:
    """`ids`, and `texts`: bytes that are looked for as they are."""

    def __init__(self, ids: Collection[UUID], texts: Iterable[bytes] = ()) -> None:
        self._texts = list(texts)
        self.many = len(ids) > FEW
        """Whether there are so many that only single records can be told."""
        self._hex = {one.hex.encode() for one in ids}
        self._needles = [text.encode() for one in ids for text in (str(one), one.hex)]
        self._anchored = [] if self.many else [_Anchored(one) for one in ids]

    def any_in(self, data: bytes) -> bool:
        """Whether one of the records in `data` can be of an id. `data` are the bytes of any number of them."""
        if self.many or _may_hide(data) or any(find(data, text) >= 0 for text in self._texts):
            return True
        return any(anchored.stands_in(data) for anchored in self._anchored)

    def of(self, record: Record) -> bool:
        """Whether this record can be of an id."""
        return _may_hide(record.value or b"") or self.plainly(record)

    def plainly(self, record: Record) -> bool:
        """Whether the record's key or value has an id in its own characters, or a text."""
        key, value = record.key or b"", record.value or b""
        if any(text in key or text in value for text in self._texts):
            return True
        if self.many:
            return any(self._knows(found) for text in (key, value) for found in _IDS.findall(text))
        key, value = key.lower(), value.lower()
        return any(needle in value or needle in key for needle in self._needles)

    def _knows(self, text: bytes) -> bool:
        return text.replace(b"-", b"").lower() in self._hex


def _may_hide(data: bytes) -> bool:
    """Whether an id may stand there in other characters than its own. `bytes.find` is quickest with a single byte."""
    first = data.find(_BACKSLASH)
    escaped = first >= 0 and find(data, _ESCAPE, first) >= 0 and _ESCAPED.search(data, first) is not None
    return escaped or find(data, _BASE64) >= 0


class Keyed:
    """In the place of Mentions where it is known how keys are written: looks for these bytes as they are, in a third of
    the time."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = frozenset(keys)
        self.many = len(self._keys) > _MANY_KEYS
        """As Mentions has it."""

    def any_in(self, data: bytes) -> bool:
        """Whether one of the records in `data` has one of the keys, or names it as it is."""
        return self.many or any(find(data, key) >= 0 for key in self._keys)

    def of(self, record: Record) -> bool:
        """Whether this record does."""
        return record.key in self._keys or any(one in self._keys for one in _IDS.findall(record.value or b""))


class _Anchored:
    """One id, found by the longest row of digits in it: digits are neither small nor capital."""

    def __init__(self, one: UUID) -> None:
        self._forms = (str(one).encode(), one.hex.encode())
        self._anchor: bytes = max(_DIGITS.findall(self._forms[0]), key=len, default=b"")
        self._before = [form.find(self._anchor) for form in self._forms]

    def stands_in(self, data: bytes) -> bool:
        """Whether the id is in `data`, in any of its forms."""
        if len(self._anchor) < _LEAST_ANCHOR:
            return self._slowly(data)
        at = find(data, self._anchor)
        for _ in range(_VAIN):
            if at < 0:
                return False
            for form, before in zip(self._forms, self._before, strict=True):
                start = at - before
                if start >= 0 and data[start : start + len(form)].lower() == form:
                    return True
            at = find(data, self._anchor, at + 1)
        return self._slowly(data)

    def _slowly(self, data: bytes) -> bool:
        data = data.lower()
        return any(find(data, form) >= 0 for form in self._forms)
