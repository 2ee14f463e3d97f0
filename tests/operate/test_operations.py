"""Long work: interrupted in any way it goes on from its last committed step, and nothing of it stays behind."""

import asyncio
import json
import random
import signal

import pytest
from sqlalchemy import text

from neon_projector.consumer.admin.operations import left_behind, lookup
from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.operations.running import running
from neon_projector.consumer.errors import Cancelled, Refused, TakenOver
from tests.operate.place import LEFT, Place
from tests.support.long_work import COMMAND, work


async def test_work_that_ends_is_completed_and_leaves_nothing_behind(place: Place) -> None:
    await work(place.engine, 3)
    row = await place.row()
    told = {name: row[name] for name in ("command", "state", "done", "total", "error", "outcome")}
    assert told == {"command": COMMAND, "state": "completed", "done": 3, "total": 3, "error": None, "outcome": "done"}
    assert [json.loads(row[name]) for name in ("filter", "after")] == [{"number": 3}, {"counted": 3}]
    assert await place.value(LEFT) == 0


async def test_killed_at_ten_random_places_it_ends_right(place: Place) -> None:
    chance = random.Random(20)
    runner = place.begin(400)
    await place.until("SELECT count(*)::int FROM projector.operations", 1)
    number = (await place.row())["id"]
    for _ in range(10):
        at = len(await place.counted()) + chance.randrange(30)
        await place.until(f"SELECT count(*) >= {min(at, 399)} FROM steps", True)
        await asyncio.sleep(chance.random() / 100)  # any place within a step
        runner.kill()
        runner.wait()
        agree = f"SELECT done = (SELECT count(*) FROM steps) FROM projector.operations WHERE id = {number}"
        assert await place.value(agree), "seen at once: what a killed runner has sent may be committed any time later"
        runner = place.begin(400, number)
    assert await asyncio.to_thread(runner.wait, 60) == 0
    assert await place.counted() == list(range(1, 401))
    assert (await place.row())["state"] == "completed"
    assert await place.value(LEFT) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_interrupted_it_is_paused_and_can_be_resumed(place: Place, how: signal.Signals) -> None:
    runner = place.begin(10_000)
    await place.until("SELECT count(*) > 3 FROM steps", True)
    runner.send_signal(how)
    assert await asyncio.to_thread(runner.wait, 20) == 130
    assert b"Paused; to go on: projector operations resume 1" in runner.communicate()[1]
    row = await place.row()
    assert (row["state"], row["done"]) == ("paused", len(await place.counted()))
    await place.rows("UPDATE projector.operations SET filter = jsonb_build_object('number', done + 5)")
    await work(place.engine, 0, row["id"])
    assert len(await place.counted()) == row["done"] + 5


async def test_a_lost_database_leaves_it_resumable(place: Place) -> None:
    runner = place.begin(10_000)
    await place.until("SELECT count(*) > 3 FROM steps", True)
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    while runner.poll() is None:
        await place.rows(f"{ends} AND datname = current_database()")
        await asyncio.sleep(0.02)
    assert runner.returncode == 3
    row = await place.row()
    assert row["state"] in ("failed", "running")
    await place.rows("UPDATE projector.operations SET filter = jsonb_build_object('number', done + 5)")
    await work(place.engine, 0, row["id"])
    assert await place.counted() == list(range(1, row["done"] + 6))


async def test_cancelled_from_elsewhere_it_stops_and_leaves_nothing_behind(place: Place) -> None:
    task = asyncio.create_task(work(place.engine, 100_000))
    await place.until("SELECT count(*) > 3 FROM steps", True)
    number = (await place.row())["id"]
    await lookup.cancel(place.engine, number)
    with pytest.raises(Cancelled):
        await task
    assert (await place.row())["state"] == "cancelled"
    assert (await place.row())["done"] == len(await place.counted())
    await left_behind.sweep(place.engine)
    assert await place.value(LEFT) == 0
    with pytest.raises(Refused, match="cancelled: there is nothing to resume"):
        await work(place.engine, 0, number)
    with pytest.raises(Refused, match="cancelled already"):
        await lookup.cancel(place.engine, number)


async def test_work_without_steps_notices_that_it_was_cancelled(place: Place) -> None:
    async def wait_for_ever() -> None:
        async with running(place.engine, COMMAND):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait_for_ever())
    await place.until("SELECT count(*)::int FROM projector.operations", 1)
    await lookup.cancel(place.engine, (await place.row())["id"])
    with pytest.raises(Cancelled):
        await asyncio.wait_for(task, 10)


async def test_of_two_runners_the_earlier_one_changes_nothing_any_more(place: Place) -> None:
    earlier = await Operation.begin(place.engine, COMMAND, total=5)
    later = await Operation.resume(place.engine, COMMAND, earlier.id)
    await later.report(by=2, position={"at": 2})

    async def step() -> None:
        async with place.engine.begin() as connection:
            await connection.execute(text("INSERT INTO steps VALUES (1)"))
            await earlier.step(connection, by=1)

    for refused in (step(), earlier.alive(), earlier.end("failed", "late")):
        with pytest.raises(TakenOver):
            await refused
    assert await place.counted() == []
    row = await place.row()
    assert (row["state"], row["done"], json.loads(row["position"])) == ("running", 2, {"at": 2})


@pytest.mark.parametrize("error", [ValueError("of its own"), asyncio.CancelledError()], ids=["a fault", "Ctrl-C"])
async def test_whatever_ends_a_runner_that_was_taken_over_it_says_that_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Also where its sign of life hears of it while it writes down how it ends."""
    signs, end = "neon_projector.consumer.admin.operations.running.LIFE_SECONDS", Operation.end

    async def slowly(self: Operation, *how: str) -> None:
        monkeypatch.setattr(signs, 0.01)
        await asyncio.sleep(0.2)
        await end(self, *how)

    async def work() -> None:
        async with running(place.engine, COMMAND) as operation:
            await Operation.resume(place.engine, COMMAND, operation.id)
            raise error

    monkeypatch.setattr(Operation, "end", slowly)
    monkeypatch.setattr(signs, 0.1)
    with pytest.raises(TakenOver):
        await work()
    assert (await place.row())["state"] == "running"


async def test_what_fails_says_why_without_content_and_can_be_resumed(place: Place) -> None:
    with pytest.raises(ValueError, match="secret") as error:
        async with running(place.engine, COMMAND) as operation:
            raise ValueError("a secret of the content")
    assert error.value.__notes__ == [
        f"to go on from the last committed step: projector operations resume {operation.id}"
    ]
    assert ((row := await place.row())["state"], row["error"]) == ("failed", "ValueError")
    with pytest.raises(Refused, match="of `count`, not of `other`"):
        await Operation.resume(place.engine, "other", operation.id)
    await Operation.resume(place.engine, COMMAND, operation.id)
    assert ((row := await place.row())["state"], row["error"]) == ("running", None)
