"""The records that heal entities, read from Kafka once more, and kept on disk until they are needed."""

import os
from array import array
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from pathlib import Path
from uuid import UUID

import msgspec
from aiokafka import TopicPartition

from neon_projector.consumer.admin.letters.edits import TOPIC as EDITED
from neon_projector.consumer.admin.letters.edits import Edit
from neon_projector.consumer.admin.lookup import Records
from neon_projector.consumer.admin.verify.directory import on_disk
from neon_projector.consumer.kafka.errors import kafka_translated
from neon_projector.consumer.kafka.light_records import LightRecord
from neon_projector.consumer.kafka.mentions import Mentions
from neon_projector.consumer.kafka.reread import Reread
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.record import Record

FILE = "originals"
ONE_BY_ONE = 1_000
"""To read one record by its offset takes as long as to read so many in a row."""

Wanted = Mapping[TopicPartition, "array[int]"]
"""Offsets, in any order, also several times."""


class Originals:
    """In `directory`. `read` once, then `at` any place that was wanted."""

    def __init__(self, settings: Settings, directory: Path, edits: Iterable[Edit] = ()) -> None:
        self._settings = settings
        self._edited = {edit.record.offset: edit.record for edit in edits}
        with on_disk():
            self._file = os.open(directory / FILE, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self._length = 0
        self._offsets: dict[TopicPartition, array[int]] = {}
        self._starts: dict[TopicPartition, array[int]] = {}
        """Where each is in the file; -1: Kafka has none there."""

    async def read(
        self, wanted: Wanted, ids: Collection[UUID], tell: Callable[[int, int], None],
        passed: Callable[[int], Awaitable[None]],
    ) -> None:  # fmt: skip
        """What is wanted are records of these `ids`. TransientError where Kafka does not answer."""
        self._offsets = {p: array("q", sorted(set(offsets))) for p, offsets in wanted.items() if p.topic != EDITED}
        self._starts = {p: array("q", [-1]) * len(offsets) for p, offsets in self._offsets.items()}
        number = sum(map(len, self._offsets.values()))
        if sum(own[-1] - own[0] for own in self._offsets.values()) > number * ONE_BY_ONE:
            await self._one_by_one(tell, number)
        else:
            await self._in_a_row(Mentions.unless_many(ids), tell, passed)

    def at(self, topic: str, partition: int, offset: int) -> Record | None:
        """None where Kafka has no such record any more."""
        if topic == EDITED:
            return self._edited.get(offset)
        where = TopicPartition(topic, partition)
        start = self._starts[where][bisect_left(self._offsets[where], offset)]
        if start < 0:
            return None
        with on_disk():
            length = int.from_bytes(os.pread(self._file, 4, start), "big")
            return msgspec.msgpack.decode(os.pread(self._file, length, start + 4), type=LightRecord)

    def close(self) -> None:
        os.close(self._file)

    async def _one_by_one(self, tell: Callable[[int, int], None], number: int) -> None:
        async with Records(self._settings) as records:
            done = 0
            for where, offsets in self._offsets.items():
                for at, offset in enumerate(offsets):
                    record = await records.at(where.topic, where.partition, offset)
                    if record is not None:
                        self._keep(where, at, record)
                    tell(done := done + 1, number)

    async def _in_a_row(
        self, only: Mentions | None, tell: Callable[[int, int], None], passed: Callable[[int], Awaitable[None]]
    ) -> None:
        ends = {p: offsets[-1] + 1 for p, offsets in self._offsets.items()}
        begin = {p: offsets[0] for p, offsets in self._offsets.items()}
        with kafka_translated():
            async for part in Reread(self._settings, ends, tell, begin, over_gaps=True, only=only).parts():
                offsets = self._offsets[part.partition]
                for record in part.records:
                    at = bisect_left(offsets, record.offset)
                    if at < len(offsets) and offsets[at] == record.offset:
                        self._keep(part.partition, at, record)
                await passed(part.span.next_offset - part.span.start)

    def _keep(self, where: TopicPartition, at: int, record: Record) -> None:
        light = LightRecord(
            record.topic, record.partition, record.offset, record.timestamp, record.key, record.value,
            tuple(record.headers),
        )  # fmt: skip
        data = msgspec.msgpack.encode(light)
        data = len(data).to_bytes(4, "big") + data
        self._starts[where][at] = self._length
        with on_disk():
            while data:
                written = os.pwrite(self._file, data, self._length)
                self._length, data = self._length + written, data[written:]
