"""`rebuild` brings what was changed by hand to what the topics say, while the service runs; nothing else is touched."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from neon_projector.consumer.admin.rebuild.asked import Asked
from neon_projector.consumer.admin.rebuild.rebuild import rebuild
from neon_projector.consumer.admin.rebuild.todo import Choice
from neon_projector.consumer.admin.verify.source import Tell
from neon_projector.consumer.admin.verify.wanted import Wanted
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import Refused
from neon_projector.models.engine import create_service_engine
from neon_projector.projections.registry import REGISTRY
from tests.conftest import TEMPLATE, database_url
from tests.operate.commands import failed, refused, told
from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.service.test_verify_waiting import ABSENT, BOB, DRAFT, GONE, HISTORY, PARKED, PLANS
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.servers import execute
from tests.support.world import World

EXECUTE = ("rebuild", "--execute", "--undo")


async def begin(world: World, *more: Any) -> None:
    """Everything that waits, and a little more, is published."""
    await world.create_topics()
    await world.publish([a_record(event) for event in (*HISTORY, *more)])


async def all_there_is(world: World) -> dict[str, list[dict[str, Any]]]:
    """All rows of the four tables."""
    tables = {"users": "id", "documents": "id", ABSENT: "id", PARKED: "entity_id, version"}
    return {table: await world.rows(f"SELECT * FROM {table} ORDER BY {key}") for table, key in tables.items()}


def timeless(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Without since when something waits."""
    return {table: [{k: v for k, v in row.items() if k != "since"} for row in rows] for table, rows in found.items()}


async def waits_since(world: World) -> list[dict[str, Any]]:
    """Of those of which that was not changed by hand."""
    kept = f"SELECT id, since FROM {ABSENT} WHERE id IN ('{NOTES}', '{EVE}')"
    return await world.rows(f"{kept} UNION ALL SELECT entity_id, since FROM {PARKED} ORDER BY 1")


def cut_off(undo: Path) -> None:
    """As `kill -9` in the middle of a line does."""
    undo.write_bytes(undo.read_bytes() + b'{"entity":"user","id":"')


def lines_of(undo: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in undo.read_bytes().splitlines()]


async def tamper(world: World, *statements: str) -> None:
    for statement in statements:
        await world.rows(statement)


async def test_what_was_changed_by_hand_is_healed_under_live_traffic(world: World, tmp_path: Path) -> None:
    shown = [a_user_event(id=UUID(int=100 + n)) for n in range(3)]
    await begin(world, *shown)
    with running_projector(world.settings):
        await world.until_consumed(len(HISTORY) + 3)
        before = await all_there_is(world)
        await tamper(
            world,
            f"UPDATE users SET name = 'forged' WHERE id = '{UUID(int=100)}'",
            f"DELETE FROM users WHERE id = '{UUID(int=101)}'",
            f"INSERT INTO users (id, email, name, created_at, updated_at, version) "
            f"SELECT '{UUID(int=103)}', 'x@forged.example', name, created_at, updated_at, version FROM users LIMIT 1",
            f"DELETE FROM {PARKED}",
            f"DELETE FROM {ABSENT} WHERE id = '{BOB}'",
        )
        await world.publish_users(20)
        found = await told(world, "rebuild", exit_status=1)
        groups = {(g["table"], g["kind"]): g["number"] for g in found["groups"]}
        assert groups == {
            ("users", "different"): 1, ("users", "missing"): 1, ("users", "unexpected"): 1,
            (PARKED, "missing"): 1, (ABSENT, "missing"): 1,
        }  # fmt: skip
        assert (found["executed"], found["differing"], found["chosen"]) == (False, 5, 5)
        undo = tmp_path / "undo"
        done = await told(world, *EXECUTE, str(undo))
        assert (done["verdict"], done["healed"], done["left"], done["undo"]) == ("equal", 5, 0, str(undo))
        await world.until_consumed(len(HISTORY) + 23)
    after = await all_there_is(world)
    known = {row["id"] for row in before["users"]}
    after["users"] = [row for row in after["users"] if row["id"] in known]
    assert timeless(after) == timeless(before)
    assert (await told(world, "verify"))["verdict"] == "equal"
    assert undo.stat().st_mode & 0o777 == 0o600


async def test_an_undo_file_of_another_database_is_refused(world: World, postgres: str, tmp_path: Path) -> None:
    undo, elsewhere = tmp_path / "undo", f"elsewhere_{uuid4().hex[:8]}"
    await play(world, False, a_user_event(id=ADA))
    await world.rows(
        "INSERT INTO users (id, email, name, created_at, updated_at, version) "
        "SELECT $1, 'eve@example.com', 'Eve', created_at, updated_at, 1 FROM users", EVE,
    )  # fmt: skip
    assert (await told(world, *EXECUTE, str(undo)))["healed"] == 1
    await execute(postgres, f"CREATE DATABASE {elsewhere} TEMPLATE {TEMPLATE}")
    other = replace(world, database_url=database_url(postgres, elsewhere))
    assert (await told(other, "rebuild"))["operation"] == 1, "it has an operation of the same number"
    for more in ((), ("--execute",)):
        error = await failed(other, "undo", str(undo), *more)
        assert isinstance(error, Refused)
        assert "a rebuild that was not run in the database of NEON_DATABASE_URL" in str(error)
    assert await other.rows("SELECT FROM users") == []
    await execute(postgres, f"DROP DATABASE {elsewhere} (FORCE)")
    (line,) = lines_of(undo)
    assert line.pop("rebuild").startswith("1@")
    undo.write_text(json.dumps(line) + "\n")
    assert (await told(world, "undo", str(undo), "--execute"))["put_back"] == 1, "an older version named no rebuild"


TAMPERED = [
    f"UPDATE users SET name = 'forged', email = 'forged@example.com' WHERE id = '{ADA}'",
    f"UPDATE {ABSENT} SET state = jsonb_set(state, '{{title}}', '\"forged\"') WHERE id = '{NOTES}'",
    f"UPDATE {ABSENT} SET reason = 'deleted', state = NULL WHERE id = '{PLANS}'",
    f"UPDATE {ABSENT} SET state = jsonb_set(state, '{{name}}', '\"forged\"') WHERE id = '{EVE}'",
    f"UPDATE {PARKED} SET data = jsonb_set(data, '{{name}}', '\"forged\"')",
    f"UPDATE {ABSENT} SET version = 1 WHERE id = '{BOB}'",
    f"DELETE FROM {ABSENT} WHERE id = '{DRAFT}'",
    f"INSERT INTO {ABSENT} (entity, id, version, reason) VALUES ('document', '{UUID(int=99)}', 9, 'deleted')",
    f"INSERT INTO {PARKED} SELECT entity, '{UUID(int=98)}', version, type, data, event_id, source, topic, partition, "
    f'"offset" FROM {PARKED}',
]


async def test_undo_puts_back_what_was_there_where_nothing_has_moved(world: World, tmp_path: Path) -> None:
    await play(world, False, *HISTORY)
    before, since = await all_there_is(world), await waits_since(world)
    await tamper(world, *TAMPERED)
    tampered = await all_there_is(world)
    undo = str(tmp_path / "undo")
    done = await told(world, *EXECUTE, undo)
    assert (done["verdict"], done["healed"], done["left"]) == ("equal", len(TAMPERED), 0)
    assert timeless(await all_there_is(world)) == timeless(before)
    assert await waits_since(world) == since
    assert (await told(world, "undo", undo))["put_back"] == len(TAMPERED)
    assert timeless(await all_there_is(world)) == timeless(before)
    cut_off(Path(undo))
    back = await told(world, "undo", undo, "--execute")
    assert (back["put_back"], back["moved"]) == (len(TAMPERED), 0)
    assert await all_there_is(world) == tampered
    again = await told(world, "undo", undo, "--execute")
    assert (again["put_back"], again["already"]) == (0, len(TAMPERED))
    other = str(tmp_path / "other")
    await told(world, *EXECUTE, other)
    await world.rows(f"UPDATE users SET name = 'another' WHERE id = '{ADA}'")
    moved = await told(world, "undo", other, "--execute", exit_status=1)
    assert (moved["put_back"], moved["moved"]) == (len(TAMPERED) - 1, 1)
    assert await refused(world, *EXECUTE, undo) == 4, "the file is there"
    forgotten = await told(world, "forget", str(BOB), "--search-seconds", "0", "--execute")
    assert (forgotten["undo_lines"], forgotten["undo_elsewhere"]) == (4, []), "his and his notes', in both files"
    assert {one["id"] for one in lines_of(Path(other)) if one["before"] == "forgotten"} == {str(BOB), str(NOTES)}
    erased = await told(world, "undo", other, exit_status=1)
    assert (erased["forgotten"], erased["moved"] + erased["already"]) == (2, len(TAMPERED) - 2)
    shutil.move(other, tmp_path / "elsewhere")
    (elsewhere,) = (await told(world, "forget", str(BOB)))["undo_elsewhere"]
    assert elsewhere["path"] == other
    assert await refused(world, "undo", str(tmp_path / "none")) == 4


async def test_undo_brings_a_row_back_with_the_columns_of_an_application(world: World, tmp_path: Path) -> None:
    await play(world, False, a_user_event(id=ADA))
    await tamper(
        world,
        "ALTER TABLE users ADD COLUMN \"Note\" text NOT NULL DEFAULT '', ADD COLUMN number bigint GENERATED ALWAYS AS "
        "IDENTITY, ADD COLUMN low text GENERATED ALWAYS AS (lower(name)) STORED",
        'INSERT INTO users (id, email, name, created_at, updated_at, version, "Note") '
        f"SELECT '{UUID(int=7)}', 'x@forged.example', name, created_at, updated_at, version, 'mine' FROM users",
    )
    tampered = await all_there_is(world)
    assert (await told(world, *EXECUTE, str(tmp_path / "undo")))["healed"] == 1
    await tamper(world, "ALTER TABLE users ADD COLUMN later text DEFAULT 'new'")
    assert (await told(world, "undo", str(tmp_path / "undo"), "--execute"))["put_back"] == 1
    await tamper(world, "ALTER TABLE users DROP COLUMN later")
    assert await all_there_is(world) == tampered


async def test_of_two_at_once_the_one_that_healed_nothing_names_no_undo_file(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await play(world, False, a_user_event(id=ADA))
    await tamper(world, "UPDATE users SET name = 'forged'")
    for name, value in world.settings.items():
        monkeypatch.setenv(name, value)
    settings, asked = load_settings(), Asked(Wanted(), Choice(), tmp_path / "mine")
    engine = create_service_engine(settings)
    try:
        found = await rebuild(engine, settings, REGISTRY, asked, Tell(), ask_first=True)
        assert (await told(world, *EXECUTE, str(tmp_path / "another")))["healed"] == 1
        done = await rebuild(engine, settings, REGISTRY, None, Tell(), found.operation)
    finally:
        await engine.dispose()
    assert (done.verdict, done.moved, done.healed, done.undo) == ("equal", 1, 0, None)
    assert not (tmp_path / "mine").exists()


async def test_one_entity_is_healed_with_what_hangs_on_it_and_nothing_else(world: World, tmp_path: Path) -> None:
    owned = [a_document_event(id=UUID(int=200 + n), owner=ADA) for n in range(3)]
    given = [
        a_document_event(id=UUID(int=210), owner=BOB),
        a_document_event("updated", UUID(int=210), 2, title="Plans"),
    ]
    given += [a_document_event("ownership_transferred", UUID(int=210), 3, from_user_id=BOB, to_user_id=ADA)]
    await play(world, False, *HISTORY, *owned, *given)
    before = timeless(await all_there_is(world))
    await tamper(world, f"DELETE FROM users WHERE id = '{ADA}'", *TAMPERED[1:])
    assert await world.value("SELECT count(*)::int FROM documents") == 0, "they went with her"
    told_first = await told(world, "rebuild", "--id", str(ADA), exit_status=1)
    assert (told_first["differing"], told_first["chosen"]) == (5, 5)
    done = await told(world, *EXECUTE, str(tmp_path / "one"), "--id", str(ADA))
    assert (done["healed"], done["left"], done["waited"]) == (5, 0, 0.0), "what is not there needs no lock"
    shown = {table: before[table] for table in ("users", "documents")}
    assert {table: timeless(await all_there_is(world))[table] for table in shown} == shown
    left = await told(world, "verify", exit_status=1)
    assert left["differing"] == len(TAMPERED) - 1
    for number, one in enumerate((NOTES, PLANS, EVE, BOB, GONE, DRAFT, UUID(int=98), UUID(int=99))):
        await told(world, *EXECUTE, str(tmp_path / str(number)), "--id", str(one))
    assert timeless(await all_there_is(world)) == before
    nothing = await told(world, *EXECUTE, str(tmp_path / "nothing"), "--id", str(ADA))
    assert (nothing["verdict"], nothing["healed"], nothing["undo"]) == ("equal", 0, None)


async def test_only_what_is_missing_or_what_a_verify_has_found_is_healed(world: World, tmp_path: Path) -> None:
    await play(world, False, *HISTORY)
    before = timeless(await all_there_is(world))
    await tamper(world, *TAMPERED)
    found = await told(world, "verify", "--id", str(BOB), "--id", str(DRAFT), exit_status=1)
    missing = await told(world, *EXECUTE, str(tmp_path / "missing"), "--missing-only", exit_status=1)
    assert (missing["chosen"], missing["healed"], missing["left"]) == (1, 1, len(TAMPERED) - 1)
    of_verify = ("--from-verify", str(found["operation"]))
    some = await told(world, *EXECUTE, str(tmp_path / "some"), *of_verify)
    assert (some["healed"], some["left"]) == (2, 0), "his notes, too; the draft is healed already"
    users = await told(world, *EXECUTE, str(tmp_path / "users"), "--entity", "user")
    assert users["healed"] == 4
    assert (await told(world, *EXECUTE, str(tmp_path / "all")))["healed"] == 2
    assert timeless(await all_there_is(world)) == before
    again = await told(world, *EXECUTE, str(tmp_path / "again"), *of_verify)
    assert (again["verdict"], again["healed"]) == ("equal", 0)


async def test_a_contested_user_keeps_the_row_that_was_found_below_the_version_that_waits(
    world: World, tmp_path: Path
) -> None:
    """What such a user showed last nobody knows."""
    shown = [(ADA, 1, "one@example.com"), (EVE, 1, "two@example.com")]
    await play(world, False, *(a_user_event(id=one, email=email) for one, _, email in shown))
    claims = [a_user_event(id=one, version=v, email="two@example.com") for one, v in ((ADA, 2), (BOB, 1), (GONE, 1))]
    await play(world, False, *claims, a_document_event(id=NOTES, owner=BOB), create=False)
    waiting = f"SELECT id, version, reason FROM {ABSENT} ORDER BY id"
    before = await world.rows(waiting)
    assert [row["reason"] for row in before] == ["contested", "no_parent", "contested", "contested"]
    for version in (1, 7):
        await world.rows(f"DELETE FROM {ABSENT} WHERE reason = 'contested'")
        await world.rows("UPDATE users SET name = 'forged', version = $2 WHERE id = $1", ADA, version)
        await world.rows(
            "INSERT INTO users (id, email, name, created_at, updated_at, version) "
            "VALUES ($1, 'forged@example.com', 'Forged', now(), now(), $2)", BOB, version,
        )  # fmt: skip
        done = await told(world, *EXECUTE, str(tmp_path / str(version)))
        assert (done["verdict"], done["left"]) == ("equal", 0)
        assert await world.rows(waiting) == before
        rows = await world.rows("SELECT id, version, email FROM users ORDER BY id")
        assert [tuple(row.values()) for row in rows] == shown, "Bob has no version that he could have shown"
