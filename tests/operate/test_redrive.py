"""A retry tells beforehand what would become of each letter, and loses nothing on the way."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.operate.commands import RETRY, printed, told
from tests.operate.test_edit import file_of
from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

BOB = UUID(int=4)
NO_ADA = "ALTER TABLE users ADD CONSTRAINT no_ada CHECK (name <> 'Ada')"
ADA_AGAIN = "ALTER TABLE users DROP CONSTRAINT no_ada"


async def test_a_dry_run_tells_what_would_be_and_changes_nothing(world: World) -> None:
    await world.rows(NO_ADA)
    await play(world, True, a_user_event(id=ADA), a_user_event(id=EVE), a_user_event(email="nobody"))
    await world.rows(ADA_AGAIN)
    before = await everything(world)
    dry = await told(world, *RETRY, "--all", exit_status=1)
    assert (dry["executed"], dry["resolved"], dry["rejected"], dry["lost"]) == (False, 2, 1, 0)
    assert await everything(world) == before
    assert dry["groups"] == [
        {"outcome": "applied", "reason": None, "letters": 2, "first": 1},
        {"outcome": "rejected", "reason": "invalid_data", "letters": 1, "first": 3},
    ]
    rehearsed = await printed(world, *RETRY, "--all")
    assert "2 resolved, 1 rejected again, 0 lost: a dry run" in rehearsed
    assert rehearsed.splitlines()[-1].startswith("Next: projector dead-letters show "), "who has to repair it"
    assert "data.email: an e-mail address, a string of 6 characters, without @ came" in await printed(
        world, *RETRY, "--all", "--details"
    )
    done = await told(world, *RETRY, "--all", "--execute", exit_status=1)
    assert done == dry | {"executed": True, "operation": done["operation"]}
    assert {row["id"] for row in await world.rows("SELECT id FROM users")} == {ADA, EVE}
    letters = await world.rows("SELECT status, attempts, reason, error FROM projector.dead_letters ORDER BY id")
    assert [(row["status"], row["attempts"]) for row in letters] == [("resolved", 1), ("resolved", 1), ("new", 2)]
    assert letters[2]["error"] == "data.email: an e-mail address, a string of 6 characters, without @ came"
    assert (await world.totals())["rejected"] == 3
    assert await world.value("SELECT count(*)::int FROM projector.offsets WHERE next_offset = 3") == 1


async def test_a_letter_of_a_value_that_is_still_refused_holds_up_no_other(world: World) -> None:
    await world.rows(NO_ADA)
    users = [a_user_event(id=UUID(int=number)) for number in range(10, 15)]
    await play(world, True, *users)
    await world.rows(ADA_AGAIN)
    await world.rows(f"ALTER TABLE users ADD CONSTRAINT not_twelve CHECK (id <> '{UUID(int=12)}')")
    done = await told(world, *RETRY, "--reason", "refused_by_database", "--execute", exit_status=1)
    assert (done["resolved"], done["rejected"]) == (4, 1)
    assert await world.value("SELECT count(*)::int FROM users") == 4
    (left,) = await world.rows("SELECT entity_id, attempts FROM projector.dead_letters WHERE status = 'new'")
    assert left == {"entity_id": UUID(int=12), "attempts": 2}


@pytest.mark.parametrize("kind", ["UNIQUE (name)", "EXCLUDE (name WITH =)"])
async def test_a_dry_run_tells_of_what_is_checked_at_commit_only(world: World, kind: str) -> None:
    await world.rows(f"ALTER TABLE users ADD CONSTRAINT one_name {kind} DEFERRABLE INITIALLY DEFERRED")
    await play(world, True, *(a_user_event(id=UUID(int=number)) for number in range(10, 13)))
    assert await world.value("SELECT count(*)::int FROM projector.dead_letters") == 2
    for more in ((), ("--execute",)):
        done = await told(world, *RETRY, "--all", *more, exit_status=1)
        assert (done["resolved"], done["rejected"]) == (0, 2)


async def test_what_was_parked_and_is_rejected_by_a_retry_becomes_a_letter_of_its_own(
    world: World, tmp_path: Path
) -> None:
    await world.rows("ALTER TABLE documents ADD CONSTRAINT no_notes CHECK (title <> 'Notes')")
    theft = a_document_event("ownership_transferred", NOTES, 2, from_user_id=EVE, to_user_id=BOB)
    users = [a_user_event(id=one) for one in (ADA, EVE, BOB)]
    await play(world, True, *users, a_document_event(id=NOTES, owner=ADA), theft)
    assert await world.value("SELECT count(*)::int FROM projector.parked_events") == 1
    await world.rows("ALTER TABLE documents DROP CONSTRAINT no_notes")
    assert (await told(world, *RETRY, "--all", "--execute"))["resolved"] == 1
    assert await world.value("SELECT user_id FROM documents") == ADA
    assert await world.value("SELECT count(*)::int FROM projector.parked_events") == 0
    (letter,) = await world.rows(
        'SELECT id, reason, event_id, "offset" FROM projector.dead_letters WHERE value IS NULL'
    )
    assert (letter["reason"], letter["event_id"]) == ("wrong_owner", theft["id"])
    await world.rows("UPDATE documents SET user_id = $1", EVE)
    move = 'UPDATE projector.dead_letters SET "offset" = $1 WHERE id = $2'
    await world.rows(move, 0, letter["id"])  # as where a topic was created again: another record stands there
    for more in ((), ("--edit", file_of(tmp_path, theft))):
        done = await told(world, *RETRY, str(letter["id"]), *more, "--execute", exit_status=1)
        assert done["outcome"] == "lost" if more else done["lost"] == 1
    await world.rows(move, letter["offset"], letter["id"])
    assert (await told(world, *RETRY, "--all", "--execute"))["resolved"] == 1
    assert await world.value("SELECT user_id FROM documents") == BOB


async def test_a_letter_kept_whole_needs_no_kafka_and_a_masked_one_is_read_there(world: World) -> None:
    await world.rows(NO_ADA)
    await play(world, True, a_user_event(id=ADA), a_user_event(id=EVE, password="hunter2"))
    await world.rows(ADA_AGAIN)
    (whole,) = await world.rows(
        "UPDATE projector.dead_letters SET topic = 'gone' WHERE entity_id = $1 RETURNING id", ADA
    )
    assert (await told(world, *RETRY, str(whole["id"]), "--execute"))["resolved"] == 1
    (masked,) = await world.rows("SELECT id, topic FROM projector.dead_letters WHERE status = 'new'")
    move = "UPDATE projector.dead_letters SET topic = $1 WHERE id = $2"
    for lost in ("gone", world.documents):
        await world.rows(move, lost, masked["id"])
        assert (await told(world, *RETRY, "--all", "--execute", exit_status=1))["lost"] == 1
    await world.rows(move, masked["topic"], masked["id"])
    assert (await told(world, *RETRY, "--all", "--execute"))["resolved"] == 1
    assert await world.value("SELECT count(*)::int FROM users") == 2


async def test_every_retry_that_changed_something_leaves_its_trace(world: World) -> None:
    await play(world, True, a_user_event(email="nobody"))
    await told(world, *RETRY, "--all", exit_status=1)
    await told(world, *RETRY, "--all", "--execute", exit_status=1)
    (trace,) = await world.rows("SELECT * FROM projector.operations")
    assert (trace["command"], trace["outcome"], "@" in trace["actor"]) == ("dead-letters retry", "done", True)
    assert (trace["state"], trace["done"], trace["total"]) == ("completed", 1, 1)
    assert json.loads(trace["filter"]) == {
        "status": "new",
        "newest": 1,
        "limit": None,
        "force": False,
        "max_rate": None,
    }
    group = {"outcome": "rejected", "reason": "invalid_data", "letters": 1, "first": 1}
    assert json.loads(trace["after"]) == {"groups": [group]}


async def everything(world: World) -> list[list[dict[str, Any]]]:
    tables = ("users", "documents", *(f"projector.{t}" for t in ("offsets", "dead_letters", "operations")))
    return [await world.rows(f"SELECT * FROM {table}") for table in tables]


async def test_a_retry_and_verify_take_the_services_limit_and_not_the_shells(world: World) -> None:
    long = a_user_event(id=ADA, name="x" * 90, note="y" * 3_000)
    await world.create_topics()
    await world.publish([a_record(long)])
    with running_projector(world.settings | {"EVENT_MAX_BYTES": "2048"}):
        await world.until("SELECT max(reason) FROM projector.dead_letters", "too_large")
    assert (await told(world, *RETRY, "--all", exit_status=1))["rejected"] == 1  # as the service would
    assert (await told(world, "verify"))["differences"] == []
    with running_projector(world.settings | {"EVENT_MAX_BYTES": "8192"}):
        await world.until("SELECT event_max_bytes::int FROM projector.service_settings", 8_192)
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("EVENT_MAX_BYTES", "1024")
        assert (await told(world, *RETRY, "--all", "--execute"))["resolved"] == 1
        assert (await told(world, "verify"))["differences"] == []
    assert await world.value("SELECT id FROM users") == ADA
