"""Leaves out the batches of a fetch whose records nobody wants, before any record is made of them.

A batch is looked at as bytes, unpacked where it is compressed. The checksum of one that is left out is not checked.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from aiokafka.record import default_records

from neon_projector.consumer.kafka.record_batches import LEAST_BYTES, is_whole

_HEAD = struct.Struct(">qiibIhi")
"""Base offset, length of what follows the first two, leader epoch, magic, CRC, attributes, last offset delta."""
_AFTER_LENGTH = 12
_MAGIC = 2
_CODEC, _CONTROL = 0b111, 0b100000
_DECODERS = {1: "gzip_decode", 2: "snappy_decode", 3: "lz4_decode", 4: "zstd_decode"}

Wanted = Callable[[bytes], bool]
"""Whether one of the records in these bytes may be wanted."""


class _Batch(NamedTuple):
    start: int
    end: int
    next_offset: int
    attributes: int


def sifted(data: bytes, wanted: Wanted) -> tuple[bytes, int | None]:
    """The batches that may have a wanted record, and markers of transactions; and the first offset behind all batches
    that were looked at. All of `data` and None where the first batch can't be read: who reads it finds out why."""
    batches = list(_batches(data))
    if not batches:
        return data, None
    plain = not any(batch.attributes & _CODEC for batch in batches)
    nowhere = plain and not wanted(data)
    kept: list[bytes] = []
    behind = None
    for start, end, next_offset, attributes in batches:
        if attributes & _CONTROL or not (nowhere or not _may_have(data[start:end], attributes, wanted)):
            if not is_whole(data[start:end]):
                return (b"".join(kept), behind) if start else (data, None)
            kept.append(data[start:end])
        behind = next_offset
    return b"".join(kept), behind


def _may_have(batch: bytes, attributes: int, wanted: Wanted) -> bool:
    codec, records = attributes & _CODEC, batch[LEAST_BYTES:]
    if codec:
        try:
            records = getattr(default_records, _DECODERS[codec])(records)
        except Exception:  # of any library; who reads the batch meets it again
            return True
    return wanted(records)


def _batches(data: bytes) -> Iterator[_Batch]:
    """The whole ones that `data` begins with, as far as their heads make sense."""
    at = 0
    while len(data) - at >= LEAST_BYTES:
        base, length, _, magic, _, attributes, delta = _HEAD.unpack_from(data, at)
        end = at + _AFTER_LENGTH + length
        if length < LEAST_BYTES - _AFTER_LENGTH or end > len(data) or magic != _MAGIC:
            break
        yield _Batch(at, end, base + delta + 1, attributes)
        at = end
