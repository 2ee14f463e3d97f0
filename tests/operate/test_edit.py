"""A letter is tried with a value that an operator has mended; both values are kept, and no secret is shown."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.operate.commands import RETRY, refused, told, usage
from tests.operate.test_portions import bad, seed
from tests.service.test_meaning import ADA, EVE
from tests.support.factories import a_user_event
from tests.support.world import World

NEW = "SELECT count(*)::int FROM projector.dead_letters WHERE status = 'new' AND attempts = 1"


@pytest.fixture
async def letter(world: World) -> World:
    """One letter, of ADA, with an address that is none and a password."""
    await seed(world, [a_user_event(id=ADA, email="nobody", password="hunter2")])
    connection = "UPDATE projector.dead_letters SET entity_id = $1, value = $2"
    masked = json.dumps(a_user_event(id=ADA, email="nobody", password="***")).encode()
    await world.rows(connection, ADA, masked)  # as it is kept
    return world


def file_of(tmp_path: Path, value: dict[str, Any] | bytes) -> str:
    file = tmp_path / "event.json"
    file.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return str(file)


async def test_an_edited_value_is_applied_and_kept_beside_the_original_without_secrets(
    letter: World, tmp_path: Path
) -> None:
    file = file_of(tmp_path, a_user_event(id=ADA, email="ada@example.com", password="hunter3"))
    edit = (*RETRY, "1", "--edit", file)
    assert await told(letter, *edit) == {
        "executed": False, "id": 1, "outcome": "applied", "reason": None, "error": None
    }  # fmt: skip
    assert await letter.value("SELECT count(*)::int FROM users") == 0
    done = await told(letter, *edit, "--execute")
    assert (done["executed"], done["outcome"]) == (True, "applied")
    assert await letter.value("SELECT email FROM users") == "ada@example.com"
    (kept,) = await letter.rows("SELECT status, value FROM projector.dead_letters")
    assert (kept["status"], b"nobody" in kept["value"]) == ("resolved", True)
    (trace,) = await letter.rows("SELECT command, before, after FROM projector.operations")
    before, after = json.loads(trace["before"]), json.loads(trace["after"])
    assert (trace["command"], before["letter"], after["letter"]) == ("dead-letters retry", 1, 1)
    assert (after["entity_id"], after["outcome"]) == (str(ADA), "applied")
    assert json.loads(before["value"])["data"]["email"] == "nobody"
    edited = json.loads(after["value"])["data"]
    assert (edited["email"], edited["password"]) == ("ada@example.com", "***")
    assert "hunter" not in trace["before"] + trace["after"] + str(done)


@pytest.mark.parametrize(
    ("value", "reason"),
    [(bad(), "invalid_data"), (b"{", "invalid_json"), (b"", "invalid_json"), (a_user_event(id=EVE), "key_mismatch")],
)
async def test_an_edit_that_is_still_bad_changes_nothing(
    letter: World, tmp_path: Path, value: dict[str, Any] | bytes, reason: str
) -> None:
    done = await told(letter, *RETRY, "1", "--edit", file_of(tmp_path, value), "--execute", exit_status=1)
    assert (done["outcome"], done["reason"]) == ("rejected", reason)
    assert await letter.value(NEW) == 1
    assert await letter.rows("SELECT * FROM projector.operations") == []


async def test_an_edit_that_the_database_refuses_changes_nothing(letter: World, tmp_path: Path) -> None:
    await letter.rows("ALTER TABLE users ADD CONSTRAINT no_ada CHECK (name <> 'Ada')")
    file = file_of(tmp_path, a_user_event(id=ADA))
    done = await told(letter, *RETRY, "1", "--edit", file, "--execute", exit_status=1)
    assert (done["outcome"], done["reason"]) == ("rejected", "refused_by_database")
    assert await letter.value(NEW) == 1
    assert await letter.rows("SELECT * FROM projector.operations") == []


async def test_an_edit_of_another_entity_or_of_no_letter_is_refused(letter: World, tmp_path: Path) -> None:
    await letter.rows("UPDATE projector.dead_letters SET key = NULL")  # so that only the letter names its entity
    other, unknown = a_user_event(id=EVE), a_user_event(id=ADA) | {"type": "user.renamed"}
    for value in (other, unknown):
        assert await refused(letter, *RETRY, "1", "--edit", file_of(tmp_path, value), "--execute") == 4
    file = file_of(tmp_path, a_user_event(id=ADA))
    assert await refused(letter, *RETRY, "7", "--edit", file, "--execute") == 4
    for words in (("--all",), ("1", "2"), ("1", "--topic", "users"), ()):
        assert await usage("retry", *words, "--edit", file) == 2
    await letter.rows("UPDATE projector.dead_letters SET key = $1", b'"***"')  # masked, and Kafka has no such topic
    assert (await told(letter, *RETRY, "1", "--edit", file, exit_status=1))["outcome"] == "lost"
    assert await letter.value(NEW) == 1
