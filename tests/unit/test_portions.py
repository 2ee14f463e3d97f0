"""A replay's portions: every offset is in one of them, in order; few records, few bytes, only the wanted ones."""

import random
from collections.abc import AsyncIterator

import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.admin.replay import portions as module
from neon_projector.consumer.admin.replay.portions import LEAST, MOST, Portions
from neon_projector.consumer.admin.replay.replay import matcher
from neon_projector.consumer.batch import Fetched
from neon_projector.consumer.offsets.claim import OffsetRange
from tests.support.factories import ARecord

ID = "7b0c0f0e-6a0e-4c8e-9f57-0c5f3c3c1d11"


async def parts(*given: Fetched) -> AsyncIterator[Fetched]:
    for part in given:
        yield part


def a_part(partition: int, start: int, end: int, offsets: list[int], size: int = 10) -> Fetched:
    records = [ARecord(b"x" * size, b"k").at(offset, partition) for offset in offsets]
    return Fetched(TopicPartition("users", partition), OffsetRange(start, end, 0), records)


async def test_however_it_is_cut_every_offset_is_in_one_portion() -> None:
    chance = random.Random(3)
    given, stands = [], [0, 0]
    for _ in range(60):
        partition = chance.randrange(2)
        end = stands[partition] + chance.randrange(1, 400)
        span = range(stands[partition], end)
        given.append(a_part(partition, span.start, end, sorted(chance.sample(span, chance.randrange(len(span))))))
        stands[partition] = end
    cut = Portions(None, 1_000, lambda: None)
    stood = [0, 0]
    got: dict[int, list[int]] = {0: [], 1: []}
    async for portion in cut.of(parts(*given)):
        for part in portion:
            number = part.partition.partition
            assert part.span.start == stood[number]
            stood[number] = part.span.next_offset
            got[number] += [record.offset for record in part.records]
        assert sum(part.size for part in portion) <= 1_000 + 11
        cut.took(chance.random() / 5)
    assert stood == stands
    assert got == {n: [r.offset for p in given if p.partition.partition == n for r in p.records] for n in (0, 1)}


@pytest.mark.parametrize(("seconds", "size"), [(1.0, LEAST), (0.001, MOST)])
async def test_slow_transactions_make_the_next_ones_smaller(seconds: float, size: int) -> None:
    cut = Portions(None, 10**9, lambda: None)
    for _ in range(10):
        cut.took(seconds)
    sizes = [
        sum(len(p.records) for p in portion) async for portion in cut.of(parts(a_part(0, 0, 5_000, [*range(5_000)])))
    ]
    assert sizes[0] == size


async def test_where_the_rate_is_low_few_records_go_at_a_time() -> None:
    cut = Portions(None, 10**9, lambda: 40.0)
    sizes = [sum(len(p.records) for p in portion) async for portion in cut.of(parts(a_part(0, 0, 25, [*range(25)])))]
    assert sizes == [10, 10, 5]


async def test_where_hardly_any_record_is_wanted_many_offsets_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OFFSETS", 1_000)
    cut = Portions(lambda record: record.offset == 1_700, 10**9, lambda: None)
    given = [a_part(0, start, start + 300, [*range(start, start + 300)]) for start in range(0, 3_000, 300)]
    told = [
        (p[0].span.start, p[-1].span.next_offset, sum(len(q.records) for q in p)) async for p in cut.of(parts(*given))
    ]
    assert told == [(0, 1_200, 0), (1_200, 2_400, 1), (2_400, 3_000, 0)]


@pytest.mark.parametrize(
    ("key", "is_it"),
    [
        (ID.encode(), True),
        (ID.upper().encode(), True),
        (ID.replace("-", "").encode(), True),
        (b"plain", True),
        (b"Plain", False),
        (b"7b0c0f0e-6a0e-4c8e-9f57-0c5f3c3c1d12", False),
        (b"\xff\xfe", False),
        (b"", False),
        (None, False),
    ],
)
def test_a_key_is_its_bytes_or_for_an_id_the_uuid(key: bytes | None, *, is_it: bool) -> None:
    assert matcher([ID, "plain"])(ARecord(b"", key)) is is_it
