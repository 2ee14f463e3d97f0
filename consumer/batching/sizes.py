"""How much memory a record takes: what bounds in bytes are measured in."""

from collections.abc import Iterable

from neon_projector.projections.contract.record import Record

HEADER_BYTES = 150
"""What Python needs for one header beside the bytes of its name and value: a pair, a str, a bytes object (CPython 3.11
to 3.13: 56, 49 and 33 bytes, and a pointer). A header of two bytes takes as much as one of a hundred."""


def sizes(records: Iterable[Record]) -> list[int]:
    """Of each record the bytes of key, value and headers. What the records themselves need is bounded by their number.

    Most have no headers: nothing is called for those.
    """
    return [size_of(r) if r.headers else len(r.value or b"") + len(r.key or b"") for r in records]


def size_of(record: Record) -> int:
    """Of one."""
    size = len(record.value or b"") + len(record.key or b"")
    return size + headers_size(record.headers) if record.headers else size


def headers_size(headers: Iterable[tuple[str, bytes | None]]) -> int:
    """Of a record's headers."""
    return sum(HEADER_BYTES + len(name) + len(value or b"") for name, value in headers)
