"""The bounded ways to unpack a batch give what the client's own give, and nothing where that is too large."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import cramjam
import pytest
from aiokafka import codec
from aiokafka.record import _crecords, default_records

from neon_projector.consumer.kafka.unpack import BATCH_BYTES, HEADERS, UnpacksTooLarge, unpack_within
from tests.support.raw_kafka import GZIP, a_bomb

MOST = 100_000
PACK: dict[str, list[Callable[[bytes], Any]]] = {
    "gzip_decode": [codec.gzip_encode, lambda data: codec.gzip_encode(data[:9]) + codec.gzip_encode(data[9:])],
    "snappy_decode": [codec.snappy_encode, cramjam.snappy.compress_raw],
    "lz4_decode": [codec.lz4_encode],
    "zstd_decode": [codec.zstd_encode],
}
HEAD_BYTES = 61


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    modules, names = (default_records, _crecords.default_records), PACK.keys()
    own = [(module, name, getattr(module, name)) for module in modules for name in names]
    unpack_within(MOST)
    yield
    for module, name, decoder in own:
        setattr(module, name, decoder)


@pytest.mark.parametrize("name", PACK)
def test_what_fits_comes_as_by_the_client_and_what_does_not_is_refused(name: str) -> None:
    for module in (default_records, _crecords.default_records):
        unpack, client = getattr(module, name), getattr(codec, name)
        for pack in PACK[name]:
            for size in (1, 70_000, MOST):
                packed = bytes(pack(b"x" * size))
                assert unpack(packed) == client(packed) == b"x" * size
            with pytest.raises(UnpacksTooLarge):
                unpack(bytes(pack(b"x" * (MOST + 1))))


@pytest.mark.parametrize("name", PACK)
def test_what_is_damaged_is_so_by_both(name: str) -> None:
    unpack, client = getattr(_crecords.default_records, name), getattr(codec, name)
    for packed in chain.from_iterable(_damaged(bytes(pack(b"xyz" * 999))) for pack in PACK[name]):
        assert _outcome(unpack, packed) == _outcome(client, packed), packed


@pytest.mark.parametrize(("headers", "fits"), [(HEADERS - 500, True), (HEADERS + 333_333, False)])
def test_a_record_with_too_many_headers_is_refused(headers: int, fits: bool) -> None:
    unpack_within(BATCH_BYTES)
    packed = a_bomb(3 * headers, GZIP, headers=True)[HEAD_BYTES:]
    if fits:
        assert len(_crecords.default_records.gzip_decode(packed)) > 999_999
    else:
        with pytest.raises(UnpacksTooLarge):
            _crecords.default_records.gzip_decode(packed)


def _damaged(packed: bytes) -> list[bytes]:
    return [packed[:-3], packed[3:], packed + b"garbage", packed[:20] + b"\xff\xff" + packed[22:], b"garbage" * 9]


def _outcome(unpack: Callable[[bytes], bytes], packed: bytes) -> bytes | None:
    try:
        return unpack(packed)
    except Exception:
        return None
