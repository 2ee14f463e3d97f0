"""A Kafka record, as far as the core reads it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Record(Protocol):
    """One record; aiokafka's ConsumerRecord has this shape. `timestamp` is in milliseconds since 1970."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class RecordPlace(NamedTuple):
    """Stands for a record of which only the place is known. Kafka alone has its bytes."""

    topic: str
    partition: int
    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
