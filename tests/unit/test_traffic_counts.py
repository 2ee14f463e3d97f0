"""Counts of senders are exact as long as they fit, and bounded and honest where they do not."""

import json
import random
import tracemalloc
from collections import Counter

import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.admin.replay.plan import Point
from neon_projector.consumer.admin.traffic.counting import By, Counting, Start
from neon_projector.consumer.admin.traffic.counts import Busiest, Distinct
from neon_projector.consumer.admin.traffic.pace import Look, Pace, Position, look, pace_of
from neon_projector.consumer.admin.traffic.ranges import Asked, Range, ranges_of, sampled
from neon_projector.consumer.admin.traffic.rows import most_of, rows_of, time_of
from neon_projector.consumer.admin.traffic.traffic import topic_of
from neon_projector.consumer.admin.watermarks import Bounds
from neon_projector.consumer.errors import Refused
from tests.support.factories import ARecord, a_record, a_user_event

NOW = 1_800_000_000_000
P0, P1, OTHER = TopicPartition("users", 0), TopicPartition("users", 1), TopicPartition("documents", 0)


def counted(names: list[int], most: int) -> Busiest[int]:
    busiest = Busiest[int](most)
    for name in names:
        busiest.of(name).records += 1
        assert len(busiest.ranked()) <= 2 * most
    return busiest


def test_what_fits_is_exact() -> None:
    names = [random.Random(1).randrange(20) for _ in range(500)]
    busiest = counted(names, 10)
    assert (busiest.missing, {one.name: one.records for one in busiest.ranked()}) == (0, Counter(names))
    assert busiest.ranked()[0].records == max(Counter(names).values())


@pytest.mark.parametrize("seed", range(5))
def test_of_any_number_of_names_no_large_one_is_lost_and_none_is_counted_too_high(seed: int) -> None:
    """Also where others came first, more of each, and then come no more."""
    chance, most = random.Random(seed), 10
    before = [name for name in range(100, 112) for _ in range(40)]
    names = before + [
        name for n in range(3000) for name in ((1, 2, 1000 + n) if chance.random() < 0.5 else (1, n + 9000))
    ]
    truth, busiest = Counter(names), counted(names, most)
    found = {one.name: one for one in busiest.ranked()}
    assert all(name in found for name, number in truth.items() if number > len(names) / most)
    assert all(truth[n] - one.missing <= one.records <= truth[n] for n, one in found.items())
    assert 0 < busiest.missing <= len(names) / most


def test_also_where_all_come_several_times_memory_is_bounded() -> None:
    busiest = counted([name // 2 % 1000 for name in range(10_000)], 10)
    assert all(10 - one.missing <= one.records <= 10 for one in busiest.ranked())


def test_different_ids_are_exact_as_long_as_they_fit_and_then_nearly_right() -> None:
    few, many = Distinct[str](1000), Distinct[str](1000)
    for number in range(500):
        few.add("a", number % 100)
        few.add("b", number)
    assert (few.exact, few.numbers()) == (True, {"a": 100, "b": 500})
    for number in range(40_000):
        many.add("a" if number % 4 else "b", f"id-{number}")
    numbers = many.numbers()
    assert not many.exact
    assert numbers["a"] == pytest.approx(30_000, rel=0.3)
    assert numbers["b"] == pytest.approx(10_000, rel=0.4)


def test_a_rate_is_by_when_records_came_not_by_what_an_old_or_wrong_clock_says() -> None:
    """Beside one source with the right time another sends again what is a year old, from the third second on; the clock
    of a third is ahead."""
    counting = Counting(By.SOURCE, NOW)
    for second in range(10):
        at = NOW - 10_000 + second * 1000
        counting.add(P0, [ARecord(b'{"source": "/right", "type": "t"}', timestamp=at - back) for back in (0, 1500)])
        if second >= 3:
            counting.add(P0, [ARecord(b'{"source": "/old", "type": "t"}', timestamp=NOW - 10**10)])
        counting.add(P0, [ARecord(b'{"source": "/ahead", "type": "t"}', timestamp=NOW + 10**15)])
        counting.add(P0, [ARecord(b'{"source": "/none", "type": "t"}', timestamp=-1)])
    since = {one.name.source: (NOW - one.since) / 1000 for one in counting.sources.ranked()}
    assert since == {"/right": 10, "/old": 7, "/ahead": 10, "/none": 10}
    newest = {one.name.source: one.newest for one in counting.sources.ranked()}
    assert newest == {"/right": NOW - 1000, "/old": NOW - 10**10, "/ahead": 0, "/none": 0}
    assert counting.newest == NOW - 1000


def sent(source: str, offset: int, timestamp: int) -> ARecord:
    return ARecord(b'{"source": "%s", "type": "t"}' % source.encode(), offset=offset, timestamp=timestamp)


DAY = 86_400_000
RANGE = NOW - 600_000


@pytest.mark.parametrize(
    ("start", "counts"),
    [
        (Start(RANGE, 10, is_sure=False), {"/ahead": 1, "/now": 2}),
        (Start(RANGE, 10, is_sure=False, position=12), {"/ahead": 1, "/yesterday": 1, "/now": 2}),
        (Start(RANGE, 10, is_sure=True), {"/ahead": 1, "/yesterday": 3, "/now": 2}),
    ],
)
def test_a_record_whose_time_is_ahead_brings_in_nothing_of_before_the_range(
    start: Start, counts: dict[str, int]
) -> None:
    """It is the first one of this time for Kafka; what is not applied counts in any case."""
    counting = Counting(By.SOURCE, NOW, {P0: start})
    counting.add(
        P0, [sent("/ahead", 9, NOW + DAY), sent("/yesterday", 10, NOW - DAY), sent("/yesterday", 11, NOW - DAY)]
    )
    counting.add(P0, [sent("/yesterday", 12, NOW - DAY), sent("/now", 13, NOW - 9000), sent("/now", 14, NOW - DAY)])
    assert {one.name.source: one.records for one in counting.sources.ranked()} == counts


def test_old_times_behind_a_record_of_the_range_are_not_when_they_came() -> None:
    counting = Counting(By.SOURCE, NOW, {P0: Start(RANGE, 10, is_sure=True)})
    counting.add(P0, [sent("/import", 500 + n, NOW - 300 * DAY) for n in range(1200)])
    (row,) = rows_of(counting, NOW - 599_000)
    assert (row["per_second"], row["since"]) == (1200, time_of(RANGE))


def test_what_comes_now_has_not_stopped_whatever_its_times_say() -> None:
    counting = Counting(By.SOURCE, NOW)
    counting.add(P0, [sent("/import", n, NOW - 300 * DAY + n) for n in range(1200)])
    ranges, before = [Range(P0, 0, 0, 1200)], Look(10.0, {P0: 1200}, {P0: Position(0)})
    quiet = topic_of("users", ranges, counting, NOW, before, Look(14.0, {P0: 1200}, {P0: Position(0)}))
    busy = topic_of("users", ranges, counting, NOW, before, Look(14.0, {P0: 1600}, {P0: Position(0)}))
    assert (quiet["most"]["stopped_at"] is None, quiet["per_second"] is None) == (False, False)
    assert (busy["most"]["stopped_at"], busy["most"]["per_second"], busy["per_second"]) == (None, None, None)
    assert busy["come_per_second"] == 100


@pytest.mark.parametrize("name", ["source", "type"])
def test_of_long_names_only_what_is_shown_is_remembered(name: str) -> None:
    counting = Counting(By.TYPE, NOW)
    tracemalloc.start()
    try:
        for number in range(50):
            event = {"source": "/shop", "type": "t", name: f"/{number}/{'x' * 1_000_000}"}
            counting.add(P0, [ARecord(json.dumps(event).encode())])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 5_000_000
    assert len(counting.rows.ranked()) == 50


def test_a_rate_is_up_to_now_or_to_the_last_record_of_who_has_stopped() -> None:
    counting = Counting(By.SOURCE, NOW)
    record = a_record({**a_user_event(), "source": "/hot"}).value
    counting.add(P0, [ARecord(record, timestamp=NOW - 30_000 + n * 100) for n in range(101)])
    counting.add(P0, [ARecord(b'{"source": "/one"}', timestamp=NOW - 5000)])
    counting.add(P1, [ARecord(b'{"source": "/goes on"}', timestamp=NOW - 20_000 + n * 6500) for n in range(3)])
    rates = {row["source"]: row["per_second"] for row in rows_of(counting, NOW)}
    assert rates == {"/hot": 101 / 10, "/one": None, "/goes?on": 3 / 20}
    most = most_of("users", counting, NOW)
    assert most is not None
    assert (most["source"], most["stopped_at"], most["entity_share"]) == ("/hot", time_of(NOW - 20_000), 1.0)
    going_on = most_of("users", counting, NOW - 10_000)
    assert going_on == most | {"per_second": 101 / 20, "stopped_at": None}
    assert most_of("documents", counting, NOW) is None


def test_an_entity_that_half_of_a_source_is_of_is_named() -> None:
    hot, counting = a_user_event(), Counting(By.SOURCE, NOW)
    counting.add(P0, [a_record(hot)] * 9)
    assert [most["entity_id"] for most in [most_of("users", counting, NOW)] if most] == [None]
    counting.add(P0, [a_record(hot)] * 11)
    counting.add(P1, [a_record(a_user_event()) for _ in range(20)])
    named = most_of("users", counting, NOW)
    assert named is not None
    assert (named["entity_id"], named["entity_share"]) == (hot["data"]["id"], 0.5)
    counting.add(P1, [a_record(a_user_event())])
    assert [most["entity_id"] for most in [most_of("users", counting, NOW)] if most] == [None]


def test_rows_are_by_what_was_asked_and_nothing_but_names_and_ids_is_kept() -> None:
    one, two = ({**a_user_event(), "source": own} for own in ("/shop", "https://eve:secret@crm/x?token=secret"))
    records = [a_record(one), a_record(one), a_record(two), ARecord(b'{"source": "/shop"'), ARecord(None)]
    shop, crm = ("users", "/shop"), ("users", "https://crm/x")
    for by, expected in {
        By.SOURCE: {(*shop, None): 3, (*crm, None): 1, ("users", "-", None): 1},
        By.TYPE: {(*shop, "user.created"): 2, (*shop, "-"): 1, (*crm, "user.created"): 1, ("users", "-", "-"): 1},
        By.ENTITY: {(*shop, one["data"]["id"]): 2, (*shop, None): 1, (*crm, two["data"]["id"]): 1,
                    ("users", "-", None): 1},
    }.items():  # fmt: skip
        counting = Counting(by, NOW)
        counting.add(P0, records)
        assert {tuple(count.name): count.records for count in counting.rows.ranked()} == expected
        assert {tuple(count.name): count.no_event for count in counting.sources.ranked()} == {
            (*shop, None): 1, (*crm, None): 0, ("users", "-", None): 1
        }  # fmt: skip
        assert counting.topics.of("users").records == 5
        assert sum(counting.ids.numbers().values()) == 2


BOUNDS = {P0: Bounds(10, 100, 60), P1: Bounds(0, 100, 100), OTHER: Bounds(0, 5, 0)}
POSITIONS = {P0: Position(100, 1.0), P1: Position(40), OTHER: Position(5)}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked({"users": None}, None, None), [(P0, 60, 100), (P1, 40, 100)]),
        (Asked({"users": {1}}, Point("time", 1), None), [(P1, 100, 100)]),
        (Asked({"users": None}, Point("offset", 5), Point("offset", 70)), [(P0, 10, 70), (P1, 5, 70)]),
        (Asked({"users": {0}}, Point("offset", 300), None), [(P0, 100, 100)]),
        (Asked({"users": {0}}, Point("offset", 0), Point("offset", 3)), [(P0, 3, 3)]),
        (Asked({"users": {0}, "documents": None}, None, Point("time", 2)), [(OTHER, 0, 0), (P0, 60, 60)]),
    ],
)
def test_the_range_is_what_was_asked_for_as_far_as_kafka_has_it(
    asked: Asked, expected: list[tuple[TopicPartition, int, int]]
) -> None:
    found = ranges_of(asked, BOUNDS, BOUNDS, POSITIONS)
    assert [(one.partition, one.begin, one.end) for one in found] == expected
    assert all(one.start == one.begin for one in found)


@pytest.mark.parametrize("scope", [{"users": {2}}, {"nowhere": None}, {"users": None, "nowhere": {0}}])
def test_what_kafka_does_not_have_is_refused(scope: dict[str, set[int] | None]) -> None:
    with pytest.raises(Refused, match="Kafka does not have"):
        ranges_of(Asked(scope, None, None), BOUNDS, BOUNDS, POSITIONS)


def test_where_one_topic_is_gone_it_is_said_how_to_ask_about_the_others() -> None:
    with pytest.raises(Refused, match="have the topic nowhere; for the others give --topic documents --topic users"):
        ranges_of(Asked({"users": None, "nowhere": None, "documents": None}, None, None), BOUNDS, BOUNDS, POSITIONS)


def test_a_sample_is_the_same_part_of_each_partition_of_a_topic() -> None:
    ranges = [Range(P0, 0, 0, 900), Range(P1, 0, 0, 100), Range(OTHER, 0, 0, 50)]
    found = [(one.start, one.end) for one in sampled(ranges, 100)]
    assert found == [(810, 900), (90, 100), (0, 50)]
    assert sampled(ranges, 1000) == ranges


async def test_of_a_topic_that_was_created_again_nothing_is_applied_yet() -> None:
    old, same = Position(70, 1.0, "old"), Position(80, 1.0, "new")
    found = look({P0: old, P1: same}, {P0: Bounds(10, 100, 100, "new"), P1: Bounds(0, 90, 90, "new")})
    assert found.positions == {P0: Position(10), P1: same}
    assert (found.waiting([P0, P1]), found.waiting([P1, OTHER])) == (100, 10)


async def test_what_kafka_has_deleted_does_not_wait() -> None:
    found = look({P0: Position(5, 1.0)}, {P0: Bounds(1990, 2000, 2000)})
    assert (found.waiting([P0]), found.positions[P0].offset) == (10, 5)


def test_a_pace_is_told_of_what_waits_and_a_reset_meanwhile_is_none() -> None:
    first = Look(10.0, {P0: 100, P1: 50}, {P0: Position(90, 60.0), P1: Position(50)})
    second = Look(14.0, {P0: 120, P1: 50, OTHER: 9}, {P0: Position(98, 1.0), P1: Position(0, 3.0), OTHER: Position(0)})
    assert pace_of([P0, P1], first, second) == Pace(5.0, 2.0, 72, 1.0)
    assert pace_of([OTHER, P1], first, second) == Pace(0.0, 0.0, 59, 3.0)
    assert pace_of([P1], first, None) == Pace(None, None, 0, None)
