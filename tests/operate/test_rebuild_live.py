"""`rebuild` beside a service that goes on, applications that have their own, and a Kafka that has not everything."""

import asyncio
import itertools
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bench.events import Mix
from bench.publish import publish
from neon_projector.consumer.admin.rebuild.asked import Asked
from neon_projector.consumer.admin.rebuild.rebuild import rebuild
from neon_projector.consumer.admin.rebuild.round import LEAST
from neon_projector.consumer.admin.rebuild.todo import Choice
from neon_projector.consumer.admin.verify import spill
from neon_projector.consumer.admin.verify.source import Tell
from neon_projector.consumer.admin.verify.wanted import Wanted
from neon_projector.consumer.environment import load_settings
from neon_projector.models.engine import create_service_engine
from neon_projector.projections.registry import REGISTRY
from tests.operate.commands import told
from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.service.test_verify_waiting import BOB, PLANS
from tests.support.factories import a_document_event, a_user_event
from tests.support.projector import running_projector
from tests.support.topics import delete_records
from tests.support.world import World

EXECUTE = ("rebuild", "--execute", "--undo")
ALL_PARKED = "SELECT * FROM projector.parked_events ORDER BY entity_id, version"
LEFT = "SELECT count(*)::int FROM pg_class WHERE relname LIKE 'operation\\_%'"


async def test_truncated_tables_are_rebuilt_while_publishing_goes_on(world: World, tmp_path: Path) -> None:
    mix = Mix(users=300, documents=600, updates=900, partial=0.5)
    events = list(mix.events())
    later = events[900::3]  # updates that come again while it works
    await world.create_topics(partitions=2)
    await publish(world.bootstrap, world.topics, iter(events))
    with running_projector(world.settings):
        await world.until_consumed(mix.total)
        await world.rows("TRUNCATE users CASCADE")
        going_on = asyncio.create_task(go_on(world, later))
        done = await told(world, *EXECUTE, str(tmp_path / "undo"))
        assert (done["verdict"], done["left"]) == ("equal", 0)
        assert done["differing"] >= 890, "all but what has come again"
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)
        await world.until_consumed(await world.end_offsets())
    assert (await told(world, "verify"))["verdict"] == "equal"
    assert await world.value("SELECT (SELECT count(*) FROM documents)::int") == 600
    assert await world.value(LEFT) == 0


async def go_on(world: World, events: list[Any]) -> None:
    """New users, and updates that were published already, again and again."""
    for start in itertools.cycle(range(0, len(events), 20)):
        await publish(world.bootstrap, world.topics, iter(events[start : start + 20]))
        await world.publish_users(3)


async def test_what_came_after_the_snapshot_is_kept_also_where_a_wrong_row_swallowed_it(
    world: World, tmp_path: Path
) -> None:
    """A row of too high a version takes an event for old; another one has moved on by itself; both end right."""
    await play(world, False, a_user_event(id=ADA), *(a_document_event(id=i, owner=ADA) for i in (NOTES, PLANS)))
    await world.rows("UPDATE documents SET version = 100 WHERE id = $1", NOTES)
    await world.rows("UPDATE documents SET title = 'forged' WHERE id = $1", PLANS)
    settings = load_settings(world.settings)
    engine = create_service_engine(settings)
    asked = Asked(Wanted(), Choice(), tmp_path)
    found = await rebuild(engine, settings, REGISTRY, asked, Tell(), ask_first=True)
    assert (found.finished, found.differing) == (False, 2)
    assert await world.value("SELECT state FROM projector.operations") == "paused"
    more = [a_document_event(id=NOTES, version=2, owner=ADA, title="Two")]
    more += [a_document_event("updated", NOTES, 3, title="Three"), a_document_event("updated", PLANS, 2, title="Two")]
    await play(world, False, *more, create=False)
    done = await rebuild(engine, settings, REGISTRY, None, Tell(), resume=found.operation)
    await engine.dispose()
    assert (done.finished, done.verdict, done.rounds, done.moved) == (True, "equal", 3, 1)
    titles = await world.rows("SELECT id, title, version FROM documents ORDER BY id")
    assert {row["id"]: (row["title"], row["version"]) for row in titles} == {NOTES: ("Three", 3), PLANS: ("Two", 2)}
    assert (await told(world, "verify"))["verdict"] == "equal"
    assert (await told(world, "undo", str(done.undo), "--execute"))["put_back"] == 2, "it was healed twice"
    assert await world.value("SELECT version::int FROM documents WHERE id = $1", NOTES) == 100


async def test_few_entities_of_each_part_on_disk_are_healed_together(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction for each part, of which a large topic has hundreds, would let the service wait longer in all."""
    monkeypatch.setattr(spill, "BUCKET_RECORDS", 1)
    await play(world, False, *(a_user_event(id=UUID(int=n)) for n in range(LEAST)))
    await world.rows("UPDATE users SET name = 'forged'")
    assert (await told(world, *EXECUTE, str(tmp_path / "undo")))["healed"] == LEAST
    assert await world.value("SELECT count(DISTINCT xmin::text)::int FROM users") == 1


async def test_what_waits_for_a_row_that_an_application_holds_does_not_hold_the_service_up(
    world: World, tmp_path: Path
) -> None:
    await play(world, False, *(a_user_event(id=one) for one in (ADA, EVE, BOB)))
    await world.rows("UPDATE users SET name = 'forged'")
    hold = "SELECT FROM users WHERE id = $1 FOR UPDATE"
    async with world.locked("users IN ROW EXCLUSIVE MODE") as application:
        await application.execute(hold, EVE)
        healing = asyncio.create_task(told(world, *EXECUTE, str(tmp_path / "first"), exit_status=1))
        await asyncio.wait([healing], timeout=60)
        assert healing.done(), "it waits for the application"
    done = await healing
    assert (done["healed"], done["moved"], done["refused"], done["left"]) == (2, 1, 0, 1)
    assert (await told(world, *EXECUTE, str(tmp_path / "second")))["healed"] == 1
    assert (await told(world, "verify"))["verdict"] == "equal"
    with running_projector(world.settings):
        await world.publish_users(1)
        await world.until_consumed(4)
        async with world.locked("users IN ROW EXCLUSIVE MODE") as application:
            await application.execute(hold, EVE)
            undoing = asyncio.create_task(told(world, "undo", str(tmp_path / "second"), "--execute"))
            await world.until("SELECT count(*)::int FROM projector.operations WHERE command = 'undo'", 1)
            await world.publish_users(1)
            await world.until_consumed(5, seconds=20)
            assert not undoing.done(), "it tries again until it gets the row"
        assert (await undoing)["put_back"] == 1


async def test_what_a_trigger_keeps_or_changes_is_not_called_healed(world: World, tmp_path: Path) -> None:
    await play(world, False, *(a_user_event(id=i, name=name) for i, name in ((ADA, "Ada"), (EVE, "Eve"), (BOB, "Bob"))))
    await world.rows("UPDATE users SET name = 'forged'")
    await world.rows(f"""
        CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF new.id = '{EVE}' AND new.version < old.version THEN RETURN NULL; END IF;
            IF new.name = 'Bob' THEN new.name = 'BOB'; END IF;
            RETURN new;
        END $$""")
    await world.rows("CREATE TRIGGER guard BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION guard()")
    done = await told(world, *EXECUTE, str(tmp_path / "undo"), exit_status=1)
    assert (done["differing"], done["healed"], done["refused"], done["left"]) == (3, 1, 1, 2)
    assert [row["name"] for row in await world.rows("SELECT name FROM users ORDER BY name")] == ["Ada", "BOB", "forged"]


async def test_what_applications_attached_stays_and_what_the_database_refuses_is_counted(
    world: World, tmp_path: Path
) -> None:
    users = [a_user_event(id=i, name=name) for i, name in ((ADA, "Ada"), (EVE, "Eve"), (BOB, "Bob"))]
    await play(world, False, *users, a_document_event(id=NOTES, owner=ADA))
    await world.rows("CREATE TABLE stars (document uuid REFERENCES documents ON DELETE CASCADE)")
    await world.rows("INSERT INTO stars VALUES ($1)", NOTES)
    await world.rows("CREATE VIEW shown AS SELECT * FROM documents")
    await world.rows("UPDATE documents SET title = 'forged'")
    await world.rows("UPDATE users SET name = 'forged'")
    await world.rows("ALTER TABLE users ADD CONSTRAINT no_eve CHECK (name <> 'Eve')")
    done = await told(world, *EXECUTE, str(tmp_path / "undo"), exit_status=1)
    assert (done["healed"], done["refused"], done["left"]) == (3, 1, 1)
    assert await world.value("SELECT count(*)::int FROM stars") == 1
    assert await world.value("SELECT title FROM shown") == "Notes"
    names = {row["name"] for row in await world.rows("SELECT name FROM users")}
    assert names == {"Ada", "Bob", "forged"}
    back = await told(world, "undo", str(tmp_path / "undo"), "--execute")
    assert back["put_back"] == 3
    assert {row["name"] for row in await world.rows("SELECT name FROM users")} == {"forged"}


async def test_what_the_topics_cannot_prove_stays_unless_it_is_said(world: World, tmp_path: Path) -> None:
    users = [UUID(int=n) for n in range(10)]
    await play(world, False, *(a_user_event(id=one) for one in users))
    await delete_records(world.bootstrap, world.users, before=4)
    await world.rows("UPDATE users SET name = 'forged'")
    done = await told(world, *EXECUTE, str(tmp_path / "undo"), exit_status=5)
    assert (done["verdict"], done["healed"], done["unproved"], done["left"]) == ("unprovable", 6, 4, 0)
    names = {row["id"]: row["name"] for row in await world.rows("SELECT id, name FROM users")}
    assert names == {one: "forged" if one in users[:4] else "Ada" for one in users}
    gone = await told(world, *EXECUTE, str(tmp_path / "more"), "--delete-unprovable", exit_status=5)
    assert (gone["healed"], gone["unproved"]) == (4, 0)
    assert await world.value("SELECT count(*)::int FROM users") == 6
    await told(world, "undo", str(tmp_path / "more"), "--execute")
    assert await world.value("SELECT count(*)::int FROM users") == 10


async def test_what_waits_for_a_truncated_row_does_not_keep_it_from_being_healed(world: World, tmp_path: Path) -> None:
    """Retention took other records: so an event that waits can't be proved, unless the topics have come past it."""
    users = [UUID(int=n) for n in range(10)]
    await play(world, False, *(a_user_event(id=one) for one in users))
    await delete_records(world.bootstrap, world.users, before=4)
    await world.rows("TRUNCATE users CASCADE")
    await play(world, False, a_user_event("updated", id=users[5], version=2, name="Eve"), create=False)
    assert await world.value("SELECT count(*)::int FROM projector.parked_events") == 1
    done = await told(world, *EXECUTE, str(tmp_path / "undo"), exit_status=5)
    assert (done["healed"], done["unproved"], done["left"]) == (6, 0, 0)
    assert await world.value("SELECT version::int FROM users WHERE id = $1", users[5]) == 2
    assert await world.value("SELECT count(*)::int FROM projector.parked_events") == 0
    assert (await told(world, "verify", exit_status=5))["kinds"] == {}


async def test_what_waits_and_cannot_be_proved_stays_beside_what_is_healed(world: World, tmp_path: Path) -> None:
    """Retention took the records of later versions, which had come first; those of the rows are there."""
    users = [UUID(int=n) for n in range(4)]
    later = [a_user_event("updated", id=one, version=3, name="Three") for one in users]
    await play(world, True, *later, *(a_user_event(id=one) for one in users))
    await delete_records(world.bootstrap, world.users, before=4)
    parked = await world.rows(ALL_PARKED)
    await world.rows("UPDATE users SET name = 'forged' WHERE id = $1", users[0])
    await world.rows("DELETE FROM users WHERE id = $1", users[1])
    await world.rows(
        'UPDATE projector.parked_events SET data = data || \'{"name": "Four"}\' WHERE entity_id = $1', users[1]
    )
    tampered = await world.rows(ALL_PARKED)
    done = await told(world, *EXECUTE, str(tmp_path / "undo"), exit_status=5)
    assert (done["verdict"], done["differing"], done["healed"], done["unproved"]) == ("unprovable", 2, 2, 4)
    assert {row["name"] for row in await world.rows("SELECT name FROM users")} == {"Ada"}
    assert await world.value("SELECT count(*)::int FROM users") == 4
    assert await world.rows(ALL_PARKED) == tampered != parked, "nobody knows what was changed there"
    assert (await told(world, "verify", exit_status=5))["kinds"] == {"unprovable": 4}
    assert (await told(world, "undo", str(tmp_path / "undo"), "--execute"))["put_back"] == 2
    assert await world.value("SELECT count(*)::int FROM users WHERE name = 'Ada'") == 2
    assert await world.rows(ALL_PARKED) == tampered
    await told(world, *EXECUTE, str(tmp_path / "again"), exit_status=5)
    await play(world, True, a_user_event("updated", id=users[0], version=2, name="Two"), create=False)
    shown = await world.rows("SELECT name, version FROM users WHERE id = $1", users[0])
    assert shown == [{"name": "Three", "version": 3}], "its turn came"
    gone = await told(world, *EXECUTE, str(tmp_path / "more"), "--delete-unprovable", exit_status=5)
    assert gone["unproved"] == 0
    assert await world.rows(ALL_PARKED) == []
