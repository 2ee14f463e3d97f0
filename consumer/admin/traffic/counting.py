"""Counts records by who sent them, in bounded memory, and without their content."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.admin.traffic.counts import Busiest, Count, Distinct
from neon_projector.consumer.apply.rejection_log import LOOKED_AT_CHARACTERS, said_name, said_source
from neon_projector.consumer.telemetry.lag import EARLIEST_MS
from neon_projector.projections.contract.record import Record
from neon_projector.projections.contract.sender import sender_of

_said_source = lru_cache(10_000)(said_source)
_said_type = lru_cache(10_000)(said_name)


class By(StrEnum):
    """What makes a row, beside topic and source."""

    SOURCE = "source"
    TYPE = "type"
    ENTITY = "entity"


class Name(NamedTuple):
    """What a row is of. `detail` is the type or the entity's id, as was asked for."""

    topic: str
    source: str
    detail: str | None = None


class Start(NamedTuple):
    """Of one partition, where the range begins with a `time` (milliseconds since 1970): the offset of the first record
    with that time or a later one, whether that one's time can be true (`is_sure`: then all behind it came after
    `time`), and the offset from which on all records count, whatever their time."""

    time: int
    offset: int
    is_sure: bool
    position: int | None = None


class Counting:
    """What was read so far: by `topics`, `sources` (of each topic), and by `rows`, as was asked for. `entities` are
    those of each source, counted unless rows are by type; `ids` has how many entities each row is of."""

    def __init__(self, by: By, until: int, starts: Mapping[TopicPartition, Start] = MappingProxyType({})) -> None:
        """`until`: times after it, in milliseconds since 1970, can't be true."""
        self.by, self._until = by, until
        self._starts = dict(starts)
        """Of partitions of which nothing is found yet that surely came in the range."""
        self.topics = Busiest[str]()
        self.sources, self._details = Busiest[Name](), Busiest[Name]()
        self.rows = self.sources if by is By.SOURCE else self._details
        self.entities = Busiest[Name]() if by is By.TYPE else self._details
        self.ids = Distinct[Name]()
        self._clocks: dict[TopicPartition, int] = {}

    def add(self, partition: TopicPartition, records: Iterable[Record]) -> None:
        """Count these; those of one partition in their order."""
        clock, until, topic = self._clocks.get(partition, 0), self._until, partition.topic
        start = self._starts.get(partition)
        total, by_type = self.topics.of(topic), self.by is By.TYPE
        for record in records:
            time = record.timestamp if EARLIEST_MS <= record.timestamp <= until else 0
            if start is not None:
                if (start.is_sure and record.offset >= start.offset) or time >= start.time:
                    clock, start = max(clock, start.time), None
                    del self._starts[partition]
                elif time and (start.position is None or record.offset < start.position):
                    continue  # a record before it has a time ahead: this one came before the range
            clock = max(clock, time)
            sender = sender_of(record)
            source = _source(sender.source)
            own = self.sources.of(Name(topic, source))
            detail = self._details.of(Name(topic, source, _type(sender.type) if by_type else sender.id))
            is_event = sender.source is not None and sender.type is not None
            for count in (total, own, detail):
                _count(count, clock, time, is_event)
            if sender.id is not None:
                self.ids.add((detail if by_type else own).name, sender.id)
        self._clocks[partition] = clock

    @property
    def newest(self) -> int:
        """The newest time that can be true."""
        return max(self._clocks.values(), default=0)


def _source(source: str | None) -> str:
    """As logs show it. It may be long: only what is looked at is remembered."""
    return _said_source(source[:LOOKED_AT_CHARACTERS] if source else None)


def _type(name: str | None) -> str:
    return _said_type(name[:LOOKED_AT_CHARACTERS]) if name else "-"


def _count(count: Count[Any], clock: int, time: int, is_event: bool) -> None:
    """A record came at `clock`: the newest time that stood before it, as its own may be an old one."""
    count.records += 1
    count.no_event += not is_event
    if clock and (clock < count.since or not count.since):
        count.since = clock
    count.until = max(count.until, clock)
    count.newest = max(count.newest, time)
