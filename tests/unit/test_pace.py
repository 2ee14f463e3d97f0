"""Long work keeps to its rate, and gives way while the live service falls behind. Time is the test's own."""

from neon_projector.consumer.admin.operations.pace import BEHIND_SECONDS, LEAST_RATE, Pace


class Clock:
    """Time passes by sleeping, and by work."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.behind = 0.0
        self.becomes = 1.0
        """By this factor the service is further behind at the next question."""
        self.asked: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def ask(self) -> float:
        self.asked.append(self.now)
        self.behind *= self.becomes
        return self.behind


async def passed(pace: Pace, clock: Clock, seconds: float, records: int = 100, each: float = 0.005) -> float:
    """Work for so long, `records` at a time, each of which takes `each` seconds; returns records a second."""
    began, number = clock.now, 0
    while clock.now - began < seconds:
        clock.now += each
        number += records
        await pace.passed(records)
    return number / (clock.now - began)


async def test_it_keeps_to_the_rate_that_was_asked_for() -> None:
    clock = Clock()
    pace = Pace(1_000, clock.ask, clock, clock.sleep)
    assert 990 <= await passed(pace, clock, 20) <= 1_010


async def test_after_a_pause_it_does_not_make_up_for_it() -> None:
    clock = Clock()
    pace = Pace(1_000, clock.ask, clock, clock.sleep)
    await passed(pace, clock, 5)
    clock.now += 30  # the database was away
    assert await passed(pace, clock, 2) <= 1_100


async def test_without_a_limit_it_goes_as_fast_as_it_can() -> None:
    clock = Clock()
    assert await passed(Pace(None, clock.ask, clock, clock.sleep), clock, 20) >= 19_900


async def test_it_asks_at_most_once_a_second() -> None:
    clock = Clock()
    await passed(Pace(None, clock.ask, clock, clock.sleep), clock, 10)
    assert len(clock.asked) in (9, 10)


async def test_it_gives_way_while_the_service_is_behind_and_comes_back_slowly() -> None:
    clock = Clock()
    pace = Pace(None, clock.ask, clock, clock.sleep)
    clock.behind = 2 * BEHIND_SECONDS
    assert await passed(pace, clock, 12) < 6_000
    assert await passed(pace, clock, 5) <= LEAST_RATE * 1.3
    clock.behind = 0.0
    assert LEAST_RATE <= await passed(pace, clock, 5) <= 2 * LEAST_RATE
    await passed(pace, clock, 60)
    assert await passed(pace, clock, 5) >= 19_000


async def test_while_the_service_catches_up_it_is_not_slowed_further() -> None:
    clock = Clock()
    pace = Pace(None, clock.ask, clock, clock.sleep)
    clock.behind = 1.0
    await passed(pace, clock, 2)
    slowed = pace.rate
    assert slowed is not None
    clock.becomes = 0.8
    await passed(pace, clock, 5)
    assert clock.behind > BEHIND_SECONDS
    assert pace.rate == slowed


async def test_it_never_goes_faster_than_asked_for_after_it_gave_way() -> None:
    clock = Clock()
    pace = Pace(1_000, clock.ask, clock, clock.sleep)
    clock.behind = 1.0
    await passed(pace, clock, 5)
    clock.behind = 0.0
    await passed(pace, clock, 60)
    assert pace.rate == 1_000


async def test_a_rate_below_the_least_one_is_kept() -> None:
    clock = Clock()
    pace = Pace(50, clock.ask, clock, clock.sleep)
    clock.behind = 1.0
    assert await passed(pace, clock, 60, records=10) <= 51
