"""Kafka's record batches as bytes: for what the client can't read, or would read too strictly.

The format is KIP-98's, magic 2: base offset (8 bytes), length of what follows (4), leader epoch (4), magic (1), CRC
(4), attributes (2), last offset delta (4), ...
"""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

_HEAD = struct.Struct(">qi")
_DELTA = struct.Struct(">i")
_DELTA_AT = 23
_CRC = struct.Struct(">I")
_CRC_AT = 17
LEAST_BYTES = 61
"""Of a batch without records."""


class Unreadable(KafkaError):
    """Kafka's records from `position` on can't be read: their batch is damaged, or is of an unknown kind.

    `behind` is the first offset after that batch; None where its head can't be believed.
    """

    def __init__(self, partition: TopicPartition, position: int, behind: int | None, why: str) -> None:
        super().__init__(f"{partition.topic}:{partition.partition} at offset {position}: {why}")
        self.partition, self.position, self.behind, self.why = partition, position, behind, why


class RawRecords(MemoryRecords):
    """What a fetch has brought of a partition; `data` are its bytes, which the client's own class keeps to itself."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data
        self._begun = False

    def has_next(self) -> bool:
        """Also where the first batch says that it is longer than all there is. A broker sends a whole one at least
        (KIP-74); the client would step over one offset in silence."""
        has: bool = super().has_next()
        return has or (not self._begun and len(self.data) > 0)

    def next_batch(self) -> Any:
        self._begun = True
        return super().next_batch()


class Batch(NamedTuple):
    """One batch: the offset after its last record, and its bytes."""

    next_offset: int
    data: bytes


def batch_at(data: bytes, offset: int) -> Batch | None:
    """The first batch in `data` that ends behind `offset`; None where there is none, or its head makes no sense."""
    at = 0
    while len(data) - at >= LEAST_BYTES:
        base, length = _HEAD.unpack_from(data, at)
        following = base + _DELTA.unpack_from(data, at + _DELTA_AT)[0] + 1
        end = at + _HEAD.size + length
        if length < LEAST_BYTES - _HEAD.size:
            return None
        if following > offset:
            return Batch(following, data[at:end])
        at = end
    return None


def behind(data: bytes, offset: int) -> int | None:
    """The first offset after the batch that has `offset`; None where its head can't be believed: its checksum is
    wrong, and it tells of more records than its bytes can be."""
    found = batch_at(data, offset)
    if found is None or not (found.next_offset - offset <= len(data) or is_whole(found.data)):
        return None
    return found.next_offset


def is_whole(batch: bytes) -> bool:
    """Whether its checksum is right."""
    return bool(_CRC.unpack_from(batch, _CRC_AT)[0] == calc_crc32c(batch[_CRC_AT + _CRC.size :]))


def records_of(data: bytes) -> Iterator[Any]:
    """A batch's records, by the client's own reader in Python. Bytes of a header's name that are no UTF-8 become lone
    surrogates (PEP 383): that reader and the one in C would fail, and lose all that the fetch has brought."""
    batch = _DefaultRecordBatchPy(data)
    batch._maybe_uncompress()
    batch._buffer = _Lenient(batch._buffer)
    records: Iterator[Any] = iter(batch)
    return records


class _Lenient(bytearray):
    def __getitem__(self, key: Any) -> Any:
        piece = super().__getitem__(key)
        return _Lenient(piece) if isinstance(key, slice) else piece

    def decode(self, *_: Any) -> str:
        return super().decode("utf-8", "surrogateescape")
