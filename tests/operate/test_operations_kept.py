"""What long work leaves: tables, undo files, and its row, as commands show it."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.rebuild.forget_undo import forget_undo
from neon_projector.consumer.admin.rebuild.undo_file import line_of
from neon_projector.consumer.admin.verify.copy_rows import copy_rows
from neon_projector.consumer.cli.app import app
from neon_projector.consumer.errors import FatalError, Refused, TransientError
from neon_projector.consumer.recovery.translate import translated
from tests.operate.commands import failed, told
from tests.operate.place import Place
from tests.support.long_work import COMMAND, work
from tests.support.world import World


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


async def test_what_this_version_does_not_understand_is_refused_and_can_be_given_up(world: World) -> None:
    of_verify = '"ids": [], "max_rate": null'
    unknown = {
        "verify": ["{}", f'{{{of_verify}, "entities": ["order"]}}', '{"entities": [], "ids": ["x"], "max_rate": null}'],
        "rebuild": ["{}", f'{{{of_verify}, "entities": []}}', '{"missing_only": "new"}'],
        "dead-letters retry": ["{}", '{"newest": 1, "limit": null, "force": false, "max_rate": null, "colour": "red"}'],
        "replay": ['{"keys": [1]}', '{"keys": 7}'],
        "undo": ["{}", '{"file": 7}', '["file"]'],
    }
    number = 0
    for command, filters in unknown.items():
        for given in filters:
            number += 1
            await world.rows(
                "INSERT INTO projector.operations (command, actor, state, filter) VALUES ($1, 'me', 'paused', $2)",
                command, given,
            )  # fmt: skip
            error = await failed(world, "operations", "resume", str(number))
            assert isinstance(error, Refused), (command, given, error)
            assert f"operation {number} was begun by another version, or edited" in str(error)
            assert error.__notes__ == [f"to give it up: projector operations cancel {number}"]
            assert (await told(world, "operations", "cancel", str(number)))["state"] == "cancelled"


@pytest.mark.parametrize(("state", "kept"), [("53100", 0), ("53200", 1)], ids=["the disk is full", "no memory"])
async def test_where_the_disk_is_full_its_tables_go_at_once_and_it_can_be_resumed(
    place: Place, state: str, kept: int
) -> None:
    """Else the service would find no room until somebody runs another command."""
    await place.rows(f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$""")
    await place.rows(
        "CREATE TRIGGER no_room AFTER INSERT ON steps FOR EACH ROW WHEN (new.n = 3) EXECUTE FUNCTION refuse()"
    )
    with pytest.raises(FatalError if state == "53100" else TransientError) as full:
        await work(place.engine, 5)
    assert full.value.__notes__ == ["to go on from the last committed step: projector operations resume 1"]
    assert ((await place.row())["state"], await place.counted()) == ("failed", [1, 2])
    assert await place.value("SELECT count(*)::int FROM pg_class WHERE relname = 'operation_1_rows'") == kept
    await place.rows("DROP TRIGGER no_room ON steps")
    await work(place.engine, 5, resume=1)
    assert ((await place.row())["state"], await place.counted()) == ("completed", [1, 2, 3, 4, 5])


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
    undo.write_bytes(line_of("user", ada, {"row": b'{"name":"Ada"}', "state": None, "events": None}, b"x", "1@2026"))
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
    operation = await Operation.begin(place.engine, COMMAND, filter={"topics": ["users"]}, total=10)
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
    assert (await told("show", str(operation.id)))["filter"] == {"topics": ["users"]}
    people = (await run("list")).stdout
    assert "no sign of life for" in people
    assert "4 of 10" in people
    assert "there is no operation 999" in await told("show", "999")
    assert "done in one step" in await told("resume", str(operation.id - 1))
    assert "completed already" in await told("cancel", str(operation.id - 1))
    assert (await told("cancel", str(operation.id)))["state"] == "cancelled"
    assert (await run("show", "x")).exit_code == 2


PARTITIONS = {f"users:{number}": number for number in range(12)} | {"documents:0": 3, "documents:1": 5}
ABOUT: list[tuple[str, dict[str, Any] | None, Any, list[str], str]] = [
    ("replay", {"topics": ["*"], "keys": ["a", "b"]}, None, ["all topics", "2 keys"], "replay of all topics, 2 keys"),
    ("replay", {"topics": ["users:0,1", "documents"]}, None, ["users:0,1", "documents"], "replay of users:0,1,"),
    ("offsets reset", {"group_id": "g"}, PARTITIONS, ["documents:0,1", "users (12 partitions)"], "users (12"),
    ("pause", {"group_id": "g", "topic": "*"}, {}, ["all topics"], "pause of all topics"),
    ("resume", {"group_id": "g", "topic": None}, {}, [], "resume"),
    ("resume", {"topic": "documents"}, {"documents": "paused"}, ["documents"], "resume of documents"),
    ("verify", {"entities": ["user"], "ids": ["x"] * 3, "by_key": False}, None, ["user", "3 ids"], "verify of user"),
    ("verify", {"entities": [], "ids": []}, None, [], "verify"),
    ("dead-letters retry", {"topic": "users", "ids": [17]}, None, ["users", "1 letter"], "users, 1 letter"),
    ("dead-letters retry", None, {"letter": 1, "value": "{}"}, ["1 letter"], "of 1 letter"),
    ("dead-letters discard", None, {"filter": {"topic": "users"}}, ["users"], "discard of users"),
    ("forget", None, {"id": "x"}, ["1 id"], "forget of 1 id"),
    ("changes enable", None, ["users"], [], "changes enable"),
]
"""Of an operation its command, `filter` and `before`, what it was about, and a part of what people read."""


async def test_the_list_says_what_each_operation_was_about(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for command, filter_, before, _, _ in ABOUT:
        insert = """INSERT INTO projector.operations (command, actor, filter, before, finished_at, done, total)
            VALUES ($1, 'root@a1b2c3d4e5f6', CAST($2 AS jsonb), CAST($3 AS jsonb), now(), 1200, 3000)"""
        await place.rows(insert, command, None if filter_ is None else json.dumps(filter_), json.dumps(before))
    settings = {"NEON_DATABASE_URL": place.url, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "COLUMNS": "80"}

    async def listed(*more: str) -> str:
        return (await asyncio.to_thread(CliRunner().invoke, app, ["operations", "list", *more], env=settings)).stdout

    rows = json.loads(await listed("--json"))
    assert [row["about"] for row in reversed(rows)] == [about for _, _, _, about, _ in ABOUT]
    assert "asked" not in rows[0]
    lines = [line for line in (await listed()).splitlines() if line.strip()[:1].isdigit()]
    assert [read for line, (*_, read) in zip(reversed(lines), ABOUT, strict=True) if read not in line] == []
    monkeypatch.setattr("neon_projector.consumer.cli.output.on_terminal", lambda: True)
    lines = (await listed()).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["id", "command", "state", "progress", "started", "by"], "it is a table"
