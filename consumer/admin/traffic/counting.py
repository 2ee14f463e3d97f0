"""Counts records by who sent them, in bounded memory, and without their content."""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from neon_projector.consumer.admin.traffic.counts import Busiest, Count, Distinct
from neon_projector.consumer.apply.rejection_log import said_name, said_source
from neon_projector.consumer.telemetry.lag import EARLIEST_MS
from neon_projector.projections.contract.record import Record
from neon_projector.projections.contract.sender import sender_of

_source = lru_cache(10_000)(said_source)
_type = lru_cache(10_000)(lambda name: said_name(name) if name else "-")


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


class Counting:
    """What was read so far: by `topics`, `sources` (of each topic), and by `rows`, as was asked for. `entities` are
    those of each source, counted unless rows are by type; `ids` has how many entities each row is of."""

    def __init__(self, by: By, until: int) -> None:
        """`until`: times after it, in milliseconds since 1970, can't be true."""
        self.by, self._until = by, until
        self.topics = Busiest[str]()
        self.sources, self._details = Busiest[Name](), Busiest[Name]()
        self.rows = self.sources if by is By.SOURCE else self._details
        self.entities = Busiest[Name]() if by is By.TYPE else self._details
        self.ids = Distinct[Name]()
        self._clocks: dict[TopicPartition, int] = {}

    def add(self, partition: TopicPartition, records: Iterable[Record]) -> None:
        """Count these; those of one partition in their order."""
        clock, until, topic = self._clocks.get(partition, 0), self._until, partition.topic
        total, by_type = self.topics.of(topic), self.by is By.TYPE
        for record in records:
            time = record.timestamp if EARLIEST_MS <= record.timestamp <= until else 0
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


def _count(count: Count[Any], clock: int, time: int, is_event: bool) -> None:
    """A record came at `clock`: the newest time that stood before it, as its own may be an old one."""
    count.records += 1
    count.no_event += not is_event
    if clock and (clock < count.since or not count.since):
        count.since = clock
    count.until = max(count.until, clock)
    count.newest = max(count.newest, time)
