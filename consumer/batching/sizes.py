"""How much memory a record takes: what bounds in bytes are measured in."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from neon_projector.projections.contract.record import Record

HEADER_BYTES = 150
"""What Python needs for one header beside the bytes of its name and value: a pair, a str, a bytes object (CPython 3.11
to 3.13: 56, 49 and 33 bytes, and a pointer). A header of two bytes takes as much as one of a hundred."""

_HEADERS = attrgetter("headers")


def sizes(records: Sequence[Record]) -> Iterable[int]:
    """Of each record the bytes of key and value, and of its headers where any of these has some. What the records
    themselves need is bounded by their number."""
    if any(map(_HEADERS, records)):
        return map(size_of, records)
    return [len(record.value or b"") + len(record.key or b"") for record in records]


def size_of(record: Record) -> int:
    """Of one."""
    size = len(record.value or b"") + len(record.key or b"")
    return size + headers_size(record.headers) if record.headers else size


def headers_size(headers: Iterable[tuple[str, bytes | None]]) -> int:
    """Of a record's headers."""
    return sum(HEADER_BYTES + len(name) + len(value or b"") for name, value in headers)
