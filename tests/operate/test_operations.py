"""Long work: interrupted in any way it goes on from its last committed step, and nothing of it stays behind."""

import asyncio
import json
import os
import random
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from neon_projector.consumer.admin.operations import left_behind, lookup
from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.operations.running import running
from neon_projector.consumer.admin.rebuild.forget_undo import forget_undo
from neon_projector.consumer.admin.rebuild.undo_file import line_of
from neon_projector.consumer.admin.verify.copy_rows import copy_rows
from neon_projector.consumer.cli.app import app
from neon_projector.consumer.errors import Cancelled, Refused, TakenOver, TransientError
from neon_projector.consumer.recovery.translate import translated
from tests.support import long_work
from tests.support.forked import Forked
from tests.support.long_work import COMMAND, engine_of, work

LEFT = """
    SELECT (SELECT count(*) FROM pg_class WHERE relname ~ '^operation_' AND relkind = 'r')
        + (SELECT count(*) FROM projector.offsets)"""


class Place:
    """A database where numbers are counted."""

    def __init__(self, url: str) -> None:
        self.url, self.engine = url, engine_of(url)

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(self.url)
        try:
            return [dict(row) for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    async def value(self, query: str, *arguments: Any) -> Any:
        return next(iter((await self.rows(query, *arguments))[0].values()))

    async def counted(self) -> list[int]:
        return [row["n"] for row in await self.rows("SELECT n FROM steps ORDER BY n")]

    async def row(self) -> dict[str, Any]:
        return (await self.rows("SELECT * FROM projector.operations ORDER BY id DESC LIMIT 1"))[0]

    async def until(self, query: str, expected: Any) -> None:
        async with asyncio.timeout(30):
            while await self.value(query) != expected:
                await asyncio.sleep(0.01)

    def begin(self, *words: object) -> Forked:
        arguments = [long_work.__file__, self.url, *map(str, words)]
        return Forked(f"{long_work.__name__}:main", arguments, os.environ)


@pytest.fixture
async def place(database: str) -> Any:
    """Nothing counted yet."""
    one = Place(database)
    await one.rows("CREATE TABLE steps (n integer)")
    yield one
    await one.engine.dispose()


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
        assert (await place.row())["done"] == len(await place.counted())
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


async def test_the_next_operation_drops_what_dead_ones_have_left(place: Place) -> None:
    states = {1: "running", 2: "paused", 3: "failed", 4: "cancelled", 5: "running", 6: None}
    for number, state in states.items():
        await place.rows(f"CREATE TABLE projector.operation_{number}_rows ()")
        await place.rows(
            "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ($1, 't', 0, 0)",
            f"operation:{number}",
        )
        if state:
            await place.rows(
                "INSERT INTO projector.operations (id, command, actor, state, updated_at) OVERRIDING SYSTEM VALUE "
                "VALUES ($1, 'x', 'me', $2, now() - make_interval(secs => $3))",
                number, state, 300 if number == 5 else 0,
            )  # fmt: skip
    await place.rows("CREATE TABLE projector.operation_theirs ()")
    await place.rows("ALTER TABLE projector.operations ALTER id RESTART WITH 10")
    await work(place.engine, 1)
    tables = await place.rows("SELECT relname::text FROM pg_class WHERE relname ~ '^operation_' ORDER BY 1")
    assert [row["relname"] for row in tables] == ["operation_1_rows", "operation_2_rows", "operation_theirs"]
    groups = await place.rows("SELECT group_id FROM projector.offsets ORDER BY 1")
    assert [row["group_id"] for row in groups] == [f"operation:{number}" for number in (1, 2, 3, 5)]


async def test_a_copy_past_the_driver_has_the_same_errors(place: Place) -> None:
    """SQLAlchemy knows no COPY. A table that a sweep has taken away is no sign that the schema is not migrated."""
    rows = "projector.operation_7_rows", ["id"], [(1,)]
    with pytest.raises(TransientError, match="no sign of life"), translated():
        async with place.engine.begin() as connection:
            await copy_rows(connection, *rows)
    with pytest.raises(TransientError, match="no sign of life"), translated():
        async with place.engine.begin() as connection:
            await connection.execute(text("SELECT FROM projector.operation_7_rows"))

    async def ended() -> None:
        with translated():
            async with place.engine.begin() as connection:
                await connection.execute(text("CREATE TABLE projector.operation_7_rows (id bigint)"))
                (pid,) = (await connection.execute(text("SELECT pg_backend_pid()"))).scalars()
                raw = (await connection.get_raw_connection()).driver_connection
                assert raw is not None
                await place.rows("SELECT pg_terminate_backend($1, 10000)", pid)
                await raw.copy_records_to_table("operation_7_rows", schema_name="projector", records=[(1,)])

    with pytest.raises(TransientError) as error:
        await ended()
    assert error.value.reason in ("connection", "starting")


async def test_what_a_rebuild_has_written_and_never_committed_is_forgotten_too(place: Place, tmp_path: Path) -> None:
    undo, ada = tmp_path / "rebuild-1.undo.jsonl", UUID(int=7)
    undo.write_bytes(line_of("user", ada, {"row": b'{"name":"Ada"}', "state": None, "events": None}, b"x"))
    for path in (undo, tmp_path / "not made yet"):
        await (await Operation.begin(place.engine, "rebuild", filter={})).report(position={"file": str(path)})
    async with place.engine.begin() as connection:
        assert await forget_undo(connection, [ada], execute=True) == (1, [])
    assert b"Ada" not in undo.read_bytes()


async def test_an_undo_file_that_was_deleted_is_said_to_be_gone(place: Place, tmp_path: Path) -> None:
    undo, settings = tmp_path / "rebuild-1.undo.jsonl", {"NEON_DATABASE_URL": place.url}
    settings |= {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    operation = await Operation.begin(place.engine, "rebuild", filter={})
    await operation.report(position={"undo": str(undo)})

    async def line() -> str:
        words = ["operations", "show", str(operation.id)]
        shown = (await asyncio.to_thread(CliRunner().invoke, app, words, env=settings)).stdout
        return next(line for line in shown.splitlines() if "undo file" in line)

    undo.touch()
    assert (await line()).endswith(f"  {undo}")
    undo.unlink()
    assert "is not here any more: it was deleted" in await line()


async def test_operations_are_listed_shown_and_cancelled_by_command(place: Place) -> None:
    settings = {"NEON_DATABASE_URL": place.url, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    await place.rows("INSERT INTO projector.operations (command, actor, outcome) VALUES ('pause', 'me@here', 'done')")
    operation = await Operation.begin(place.engine, COMMAND, filter={"topic": ["users"]}, total=10)
    await operation.report(by=4)
    await place.rows("UPDATE projector.operations SET updated_at = now() - interval '1 hour'")

    async def run(*words: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, ["operations", *words], env=settings)

    async def told(*words: str) -> Any:
        done = await run(*words, "--json")
        return json.loads(done.stdout) if done.exit_code == 0 else str(done.exception)

    assert [row["command"] for row in await told("list")] == [COMMAND, "pause"]
    (one,) = await told("list", "--unfinished")
    assert (one["state"], one["silent"], one["done"], one["total"]) == ("running", True, 4, 10)
    assert (await told("show", str(operation.id)))["filter"] == {"topic": ["users"]}
    people = (await run("list")).stdout
    assert "no sign of life for" in people
    assert "4 of 10" in people
    assert "there is no operation 999" in await told("show", "999")
    assert "done in one step" in await told("resume", str(operation.id - 1))
    assert "completed already" in await told("cancel", str(operation.id - 1))
    assert (await told("cancel", str(operation.id)))["state"] == "cancelled"
    assert (await run("show", "x")).exit_code == 2
