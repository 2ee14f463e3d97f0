"""Records as Kafka can hold them, which no client library would write: batches made byte by byte (KIP-98)."""

import gzip
import struct
import time
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

import cramjam
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c, encode_varint

from tests.support.factories import ARecord

_NO_PRODUCER = struct.pack(">qhi", -1, -1, -1)
GZIP, ZSTD = 1, 4


class RawRecord(NamedTuple):
    """Any bytes anywhere; a timestamp in milliseconds, None: now."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[bytes, bytes | None]] = ()
    timestamp: int | None = None


def raw(record: ARecord, *headers: tuple[bytes, bytes | None]) -> RawRecord:
    """`record` with more headers."""
    own = [(name.encode(), value) for name, value in record.headers]
    return RawRecord(record.value, record.key, (*own, *headers))


def a_batch(records: Sequence[RawRecord], codec: int = 0, behind: bytes = b"") -> bytes:
    """One batch. With GZIP, `behind` stands after the compressed records: Java takes no notice of it, Python does."""
    now = int(time.time() * 1000)
    times = [now if one.timestamp is None else one.timestamp for one in records]
    body = b"".join(
        _record(number, one, at - times[0]) for number, (one, at) in enumerate(zip(records, times, strict=True))
    )
    body = gzip.compress(body) + behind if codec == GZIP else body
    return _with_head(body, len(records), codec, times[0], max(times))


def a_bomb(size: int, codec: int, headers: bool = False) -> bytes:
    """One batch of one record, of which `size` bytes are its value, or empty headers: it is small as it is sent."""
    piece = (b"\2h\0" if headers else b"xxx") * 333_333
    number = size // len(piece)
    inner = b"\0\0\0" + _varint(-1) + _varint(-1 if headers else number * len(piece))
    inner += _varint(number * len(piece) // 3) if headers else b""
    end = b"" if headers else _varint(0)
    pieces = (_varint(len(inner) + number * len(piece) + len(end)) + inner, *[piece] * number, end)
    packed = b"".join(_by_gzip(pieces) if codec == GZIP else _by_zstd(pieces))
    now = int(time.time() * 1000)
    return _with_head(packed, 1, codec, now, now)


def _by_gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    yield from map(packer.compress, pieces)
    yield packer.flush()


def _by_zstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = cramjam.zstd.Compressor()
    for piece in pieces:
        packer.compress(piece)
        yield bytes(packer.flush())
    yield bytes(packer.finish())


def _with_head(body: bytes, number: int, codec: int, first: int, newest: int) -> bytes:
    checked = struct.pack(">hiqq", codec, number - 1, first, newest) + _NO_PRODUCER
    checked += struct.pack(">i", number) + body
    rest = struct.pack(">ibI", -1, 2, calc_crc32c(checked)) + checked
    return struct.pack(">qi", 0, len(rest)) + rest


def _record(number: int, record: RawRecord, later: int) -> bytes:
    inner = b"\0" + _varint(later) + _varint(number) + _bytes(record.key) + _bytes(record.value)
    inner += _varint(len(record.headers)) + b"".join(_bytes(name) + _bytes(value) for name, value in record.headers)
    return _varint(len(inner)) + inner


def _bytes(value: bytes | None) -> bytes:
    return _varint(-1) if value is None else _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    encode_varint(value, out.append)
    return bytes(out)


@dataclass
class RawProducer:
    """Sends batches to partition 0 unless another is named."""

    client: AIOKafkaProducer
    topics: Mapping[str, str]
    """`users` and `documents` stand for these."""

    async def send(self, topic: str, batch: bytes, partition: int = 0) -> int:
        """The first offset of the batch; a KafkaError where the broker refuses it."""
        name, kafka = self.topics.get(topic, topic), self.client.client
        request = ProduceRequest(None, -1, 30_000, [(name, [(partition, batch)])])
        while True:
            await kafka._wait_on_metadata(name)
            answer = await kafka.send(kafka.cluster.leader_for_partition(TopicPartition(name, partition)), request)
            (_, ((_, code, offset, *_),)) = answer.topics[0]
            if not code:
                first: int = offset
                return first
            if not for_code(code).retriable:
                raise for_code(code)
            await kafka.force_metadata_update()  # the topic is new


@asynccontextmanager
async def raw_producer(bootstrap: str, **topics: str) -> AsyncIterator[RawProducer]:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as client:
        yield RawProducer(client, topics)
