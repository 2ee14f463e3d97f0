"""Many letters tried again: those there were at the beginning, each once, whatever interrupts it."""

import asyncio
import hashlib
import json
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.operate.commands import RETRY, printed, refused, told
from tests.service.test_meaning import ADA
from tests.support.factories import a_record, a_user_event
from tests.support.projector import Process, start
from tests.support.world import World

ALL = (*RETRY, "--all")
EXECUTE = (*ALL, "--execute")
NEW = "SELECT count(*)::int FROM projector.dead_letters WHERE status = 'new'"
WAITING = """
    SELECT count(*)::int FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database() AND query NOT LIKE '%operations%'"""
INSERT = """
    INSERT INTO projector.dead_letters
        (topic, partition, "offset", sha256, key, value, value_length, headers, reason, error)
    VALUES ($1, 0, $2, $3, $4, $5, $6, '[]', 'undecodable', 'an older version could not read it')"""


async def seed(world: World, events: Iterable[dict[str, Any] | None], topic: str = "users", start: int = 0) -> None:
    """Letters of these events, as an older version of the service left them; None is one that is lost: it was stored
    masked, and there is no such topic."""
    connection = await asyncpg.connect(world.database_url)
    try:
        rows = []
        for offset, event in enumerate(events, start):
            record = a_record(event or a_user_event())
            value = record.value or b""
            sha256 = hashlib.sha256(value if event else b"what it was").digest()
            rows.append((topic, offset, sha256, record.key, value, len(value)))
        await connection.executemany(INSERT, rows)
    finally:
        await connection.close()


def bad() -> dict[str, Any]:
    return a_user_event(email="nobody")


def begin(world: World, *words: str) -> Process:
    """The command, as a process of its own."""
    return start(*words, "--json", settings=world.settings)


async def ended(process: Process, exit_status: int) -> Any:
    """What it printed, once it ends."""
    out, error = await asyncio.to_thread(process.communicate, timeout=30)
    assert process.returncode == exit_status, error.decode()
    return json.loads(out) if out else error.decode()


@asynccontextmanager
async def holding(world: World, letter: int) -> AsyncIterator[None]:
    """Within, nobody gets past this letter."""
    connection = await asyncpg.connect(world.database_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM projector.dead_letters WHERE id = $1 FOR UPDATE", letter)
            yield
    finally:
        await connection.close()


async def test_letters_are_tried_in_portions_and_the_trace_counts_them(world: World) -> None:
    await seed(world, [*(a_user_event() for _ in range(230)), bad(), bad(), None])
    done = await told(world, *EXECUTE, exit_status=1)
    assert {one["outcome"]: (one["letters"], one["first"]) for one in done["groups"]} == {
        "applied": (230, 1), "rejected": (2, 231), "lost": (1, 233),
    }  # fmt: skip
    assert await world.value("SELECT count(*)::int FROM users") == 230
    (trace,) = await world.rows("SELECT * FROM projector.operations")
    assert (trace["id"], trace["state"], trace["done"], trace["total"]) == (done["operation"], "completed", 233, 233)
    assert len(str(dict(trace))) < 2_000, "it has no list of ids"


async def test_letters_that_come_while_it_runs_are_not_taken(world: World) -> None:
    await seed(world, (a_user_event() for _ in range(150)))
    async with world.locked("users"):
        process = begin(world, *EXECUTE)
        await world.until(WAITING, 1)
        await seed(world, [a_user_event(id=ADA)], start=150)
    assert (await ended(process, 0))["resolved"] == 150
    assert await world.value(NEW) == 1
    assert (await told(world, *EXECUTE))["resolved"] == 1


async def test_of_two_at_once_each_letter_is_tried_by_one(world: World) -> None:
    await seed(world, [*(a_user_event() for _ in range(5)), *(bad() for _ in range(5))])
    async with world.locked("users"):
        processes = [begin(world, *EXECUTE) for _ in range(2)]
        await world.until(WAITING, 2)
    done = [json.loads((await asyncio.to_thread(p.communicate, timeout=30))[0]) for p in processes]
    assert sorted((one["resolved"], one["rejected"], one["changed"]) for one in done) == [(0, 0, 10), (5, 5, 0)]
    attempts = await world.rows("SELECT DISTINCT attempts FROM projector.dead_letters WHERE status = 'new'")
    assert [row["attempts"] for row in attempts] == [2]


async def test_killed_paused_and_stopped_in_the_middle_it_goes_on_and_tries_each_once(world: World) -> None:
    letters = [None if n % 50 == 9 else bad() if n % 10 == 0 else a_user_event() for n in range(500)]
    await seed(world, letters)
    words: tuple[str, ...] = EXECUTE
    ways = ((120, signal.SIGKILL, -9), (315, signal.SIGINT, 130), (415, signal.SIGTERM, 130))
    for letter, sign, exit_status in ways:
        async with holding(world, letter):
            process = begin(world, *words)
            await world.until(WAITING, 1)
            process.send_signal(sign)
            said = await ended(process, exit_status)
        number = await world.value("SELECT id::int FROM projector.operations")
        words = ("operations", "resume", str(number))
        done = await world.value("SELECT done::int FROM projector.operations")
        assert 0 < letter - done <= 100
        if exit_status == 130:
            assert said == f"projector: Paused; to go on: projector operations resume {number}\n"
    ending = await ended(begin(world, *words), 1)
    assert (ending["resolved"], ending["rejected"], ending["lost"]) == (440, 50, 10)
    assert await world.value("SELECT count(*)::int FROM users") == 440
    attempts = "SELECT attempts, count(*)::int FROM projector.dead_letters WHERE status = 'new' GROUP BY 1 ORDER BY 1"
    assert [tuple(row.values()) for row in await world.rows(attempts)] == [(1, 10), (2, 50)]
    (trace,) = await world.rows("SELECT state, done, total FROM projector.operations")
    assert tuple(trace.values()) == ("completed", 500, 500)


async def test_killed_within_a_divided_portion_a_lost_letter_takes_no_other_with_it(world: World) -> None:
    """The database refuses the third, so the portion is divided; the second half waits at the nineteenth."""
    await seed(world, [None if n == 18 else a_user_event(id=UUID(int=n)) for n in range(1, 21)])
    await world.rows(f"ALTER TABLE users ADD CONSTRAINT not_three CHECK (id <> '{UUID(int=3)}')")
    await world.rows("""
        CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END'""")
    when = f"WHEN (NEW.id = '{UUID(int=19)}')"
    await world.rows(f"CREATE TRIGGER wait BEFORE INSERT ON users FOR EACH ROW {when} EXECUTE FUNCTION wait()")
    connection = await asyncpg.connect(world.database_url)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(7)")
        process = begin(world, *EXECUTE)
        await world.until(WAITING, 1)
        process.kill()
        await ended(process, -9)
    await connection.close()
    assert await world.value("SELECT done::int FROM projector.operations") == 9
    number = await world.value("SELECT id::text FROM projector.operations")
    ending = await told(world, "operations", "resume", number, exit_status=1)
    assert (ending["resolved"], ending["rejected"], ending["lost"]) == (18, 1, 1)
    assert await world.value("SELECT count(*)::int FROM users") == 18


async def test_what_three_retries_did_not_help_needs_force(world: World) -> None:
    await seed(world, [bad(), a_user_event()])
    for _ in range(3):
        await told(world, *RETRY, "1", "--execute", exit_status=1)
    for words in ((*RETRY, "1"), (*RETRY, "--until", "PT0S", "--limit", "1", "--reason", "invalid_data")):
        assert await refused(world, *words, "--execute") == 4
    dry = await told(world, *ALL)
    assert (dry["resolved"], dry["rejected"], dry["left_out"]) == (1, 0, 1)
    assert "1 left out: 3 retries did not help it; --force" in await printed(world, *ALL)
    forced = await told(world, *ALL, "--force", exit_status=1)
    assert (forced["resolved"], forced["rejected"], forced["left_out"]) == (1, 1, 0)
    assert (await told(world, *EXECUTE))["resolved"] == 1
    assert (await told(world, *RETRY, "1", "--force", "--execute", exit_status=1))["rejected"] == 1
    assert await world.value("SELECT attempts FROM projector.dead_letters WHERE id = 1") == 5


async def test_a_limit_takes_the_oldest(world: World) -> None:
    ids = [UUID(int=number) for number in range(1, 6)]
    await seed(world, (a_user_event(id=one) for one in ids))
    assert (await told(world, *ALL, "--limit", "3", "--max-rate", "1000"))["resolved"] == 3
    assert (await told(world, *EXECUTE, "--limit", "3"))["resolved"] == 3
    assert [row["id"] for row in await world.rows("SELECT id FROM users ORDER BY id")] == ids[:3]
    assert (await told(world, *EXECUTE, "--limit", "100"))["resolved"] == 2


@pytest.mark.parametrize("executed", [(), ("--execute",)])
async def test_details_name_each_letter(world: World, executed: tuple[str, ...]) -> None:
    await seed(world, [a_user_event(), bad()])
    done = await told(world, *ALL, "--details", *executed, exit_status=1)
    assert done["letters"] == [
        {"id": 1, "outcome": "applied", "reason": None, "error": None},
        {
            "id": 2,
            "outcome": "rejected",
            "reason": "invalid_data",
            "error": "data.email: an e-mail address, a string of 6 characters, without @ came",
        },
    ]
