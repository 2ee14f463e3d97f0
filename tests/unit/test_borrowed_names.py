"""Names that are set inside two libraries for speed: an upgrade that renames them would make us slow in silence."""

import inspect

from aiokafka.consumer.fetcher import Fetcher
from asyncpg.protocol import protocol

from models.connection import bind_arrays_quickly


def test_the_driver_looks_for_arrays_by_these_names() -> None:
    known = protocol.IterableABC, protocol.SizedABC
    try:
        bind_arrays_quickly()
        assert (protocol.IterableABC, protocol.SizedABC) == ((list, tuple), (list, tuple))
    finally:
        protocol.IterableABC, protocol.SizedABC = known


def test_the_client_fetches_by_these_names() -> None:
    source = inspect.getsource(Fetcher)
    for name in ("self._prefetch_backoff", "self._max_partition_fetch_bytes"):
        assert source.count(name) > 1, name  # set once, and used
