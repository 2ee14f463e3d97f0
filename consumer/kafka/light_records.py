"""Kafka's records with nothing that we don't read, made in half the client's own time: it saves 0.5 µs for each.

They are also read where the client would fail: a header's name that is no UTF-8 is that record's fault alone, and of
what can't be read at all the error names partition and offset.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import aiokafka.consumer.consumer
import msgspec
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords

from neon_projector.consumer.kafka.client_fetcher import Fetcher
from neon_projector.consumer.kafka.record_batches import RawRecords, Unreadable, batch_at, behind, records_of
from neon_projector.consumer.kafka.sift import sifted

HEADERS_AT_ONCE = 50_000
"""Of one fetch: a header of 4 bytes takes 150 in memory, so 1 MiB would become 40. The rest is asked for once more."""


class _Enough(Exception):
    """So many headers are here that no further record is to be made now."""


class LightRecord(msgspec.Struct, gc=False):
    """What `projections.contract.record.Record` asks for."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class LightRecords(PartitionRecords):
    """What was fetched of one partition; it still skips what is aborted, and steps over markers. Unreadable where the
    first batch that is asked for can't be read: what comes before it is given first."""

    next_fetch_offset: int
    _records: RawRecords
    _records_iterator: Iterator[LightRecord]

    def __init__(self, tp: TopicPartition, records: Any, *rest: Any) -> None:
        super().__init__(tp, records, *rest)
        self._asked = self.next_fetch_offset
        self._headers = 0
        self.size: int = records.size_in_bytes()
        """The bytes that the fetch has brought."""
        if self._key_deserializer is not None:
            self._sift()

    def __next__(self) -> LightRecord:
        for record in self.take(1):
            return record
        raise StopIteration

    def take(self, most: int | None) -> list[LightRecord]:
        """The next records, up to `most`; fewer only where the client is to ask for the rest once more, or all are
        taken. Unpacking is the client's own generator; what it has given before an error stays in the list."""
        records: list[LightRecord] = []
        while most is None or len(records) < most:
            try:
                records.extend(islice(self._records_iterator, None if most is None else most - len(records)))
            except UnicodeDecodeError:  # the batch in hand once more, from the record in hand; then the next ones
                self._records_iterator = chain(self._leniently(), self._unpack_records())
            except _Enough:
                break
            except Exception as error:
                if self.next_fetch_offset == self._asked:
                    offset, why = self._asked, type(error).__name__
                    raise Unreadable(self._tp, offset, behind(self._records.data, offset), why) from error
                break
            else:
                break
        return records

    def _sift(self) -> None:
        """Leave out what the client's owner does not want: what the client calls its deserializer tells that."""
        data, behind_all = sifted(self._records.data, self._key_deserializer)
        self._records, unpacked = RawRecords(data), self._records_iterator

        def records() -> Iterator[LightRecord]:
            yield from unpacked
            self.next_fetch_offset = max(self.next_fetch_offset, behind_all or 0)

        self._records_iterator = records()

    def _leniently(self) -> Iterator[LightRecord]:
        batch = batch_at(self._records.data, self.next_fetch_offset)
        assert batch is not None, "the client has read a part of it"
        for record in records_of(batch.data):
            if record.offset >= self.next_fetch_offset:
                light = self._consumer_record(self._tp, record)
                self.next_fetch_offset = record.offset + 1
                yield light
        self.next_fetch_offset = batch.next_offset

    def _consumer_record(self, tp: TopicPartition, record: Any) -> LightRecord:
        if headers := record.headers:
            self._headers += len(headers)
            if self._headers > HEADERS_AT_ONCE and self.next_fetch_offset > self._asked:
                raise _Enough
        return LightRecord(
            tp.topic,
            tp.partition,
            record.offset,
            record.timestamp,
            record.key,
            record.value,
            tuple(headers) if headers else (),
        )


class LightResult(FetchResult):
    """What was fetched of one partition, as the client keeps it. It takes records all at once, not one by one."""

    _partition_records: LightRecords | None

    def getall(self, max_records: int | None = None) -> list[LightRecord]:
        fetched = self._partition_records
        if not self.check_assignment(self._topic_partition) or fetched is None:
            return []
        records = fetched.take(max_records)
        self._update_position()
        if max_records is None or len(records) < max_records:
            self._partition_records = None
        return records


def read_lightly() -> None:
    """Let the client make its records so; in one process all consumers are affected. `client_options` calls it: so
    every reader of Kafka can read what any other can."""
    aiokafka.consumer.consumer.Fetcher = Fetcher
    fetcher.MemoryRecords = RawRecords
    fetcher.PartitionRecords = LightRecords
    fetcher.FetchResult = LightResult
