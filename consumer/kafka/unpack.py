"""Unpacks compressed batches, but none that becomes larger than there is room for.

The client unpacks a batch whole, whatever comes of it: 1 MB in zstd may become 32 GB. Brokers take such a batch, as
they count what is sent. Here it can't be read (`consumer.kafka.record_batches.Unreadable`), like one that is damaged.
"""

import gzip
import io
import mmap
from collections.abc import Callable, Iterator
from typing import Any

import cramjam
from aiokafka import codec
from aiokafka.record import _crecords, default_records
from aiokafka.record.util import decode_varint

BATCH_BYTES = 64 * 1024 * 1024
"""So much may come of one batch, and `EVENT_MAX_BYTES` more."""
PIECE_BYTES = 1024 * 1024
HEADERS = 500_000
"""So many may a record have in a batch that was packed: 75 MB in memory."""
_LEAST_HEADER_BYTES = 2
"""An empty name, and no value."""


class UnpacksTooLarge(Exception):
    """There is no room for what comes of the batch."""


def unpack_within(most: int) -> None:
    """Let all readers of Kafka in this process unpack no batch to more than `most` bytes."""
    decoders: dict[str, Callable[[Any], bytes]] = {
        "gzip_decode": lambda packed: _checked(_gzip(packed, most)),
        "snappy_decode": lambda packed: _checked(_snappy(packed, most)),
        "lz4_decode": lambda packed: _checked(_into(cramjam.lz4.decompress_into, packed, most)),
        "zstd_decode": lambda packed: _checked(_into(cramjam.zstd.decompress_into, packed, most)),
    }
    for module in (default_records, _crecords.default_records):
        for name, decoder in decoders.items():
            setattr(module, name, decoder)


def _gzip(packed: Any, most: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        pieces: list[bytes] = []
        left = most
        while piece := file.read(PIECE_BYTES):
            if (left := left - len(piece)) < 0:
                raise UnpacksTooLarge
            pieces.append(piece)
    return b"".join(pieces)


def _into(decompress_into: Callable[[Any, Any], int], packed: Any, most: int) -> bytes:
    """The memory is the system's, which gives of it what is written to."""
    with mmap.mmap(-1, most) as room, memoryview(room) as view:
        try:
            return bytes(view[: decompress_into(packed, view)])
        except cramjam.DecompressionError as error:
            if "whole buffer" in str(error):
                raise UnpacksTooLarge from None
            raise


def _snappy(packed: Any, most: int) -> bytes:
    """The length of each block stands in front of it; Java's library makes several (xerial)."""
    left = most
    for block in _xerial_blocks(memoryview(packed)) if codec._detect_xerial_stream(packed) else (packed,):
        if (left := left - cramjam.snappy.decompress_raw_len(bytes(block))) < 0:
            raise UnpacksTooLarge
    unpacked: bytes = codec.snappy_decode(packed)
    return unpacked


def _xerial_blocks(packed: memoryview) -> Iterator[memoryview]:
    at = 16
    while at < len(packed):
        end = at + 4 + int.from_bytes(packed[at : at + 4], "big")
        yield packed[at + 4 : end]
        at = end


def _checked(records: bytes) -> bytes:
    """What was unpacked, if none of its records has too many headers: one of 2 bytes takes 150 in memory."""
    at, large = 0, HEADERS * _LEAST_HEADER_BYTES
    while len(records) - at > large:
        length, start = decode_varint(records, at)
        if length > large and _headers_of(records, start) > HEADERS:
            raise UnpacksTooLarge
        at = start + max(0, length)
    return records


def _headers_of(records: bytes, at: int) -> int:
    """Of the record that begins there, behind its length: attributes, two deltas, key, value, headers."""
    at += 1
    for _ in range(2):
        _, at = decode_varint(records, at)
    for _ in range(2):
        length, at = decode_varint(records, at)
        at += max(0, length)
    number: int = decode_varint(records, at)[0]
    return number
