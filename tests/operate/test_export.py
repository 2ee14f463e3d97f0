"""Dead letters are exported as they are kept, one a line; lists take only reasons that there are."""

import base64
import json
from pathlib import Path

from tests.service.test_meaning import play
from tests.support.factories import a_user_event
from tests.support.projector import command, running_projector
from tests.support.world import World


async def test_every_letter_is_one_line_with_its_contents_masked(world: World, tmp_path: Path) -> None:
    await play(world, True, a_user_event(email="nobody", password="hunter2"))
    await world.publish_raw("users", b"\xff\xfe", b"\x80")
    with running_projector(world.settings) as projector:
        await world.until_consumed(2)
        assert projector.terminate() == 0
    done = command("dead-letters", "export", settings=world.settings)
    first, second = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, first["reason"], first["topic"], first["headers"]) == (0, "invalid_data", world.users, [])
    assert json.loads(first["value"])["data"]["password"] == "***"
    assert base64.b64decode(second["value_base64"]) == b"\xff\xfe"
    assert (base64.b64decode(second["key_base64"]), "value" in second) == (b"\x80", False)
    file = tmp_path / "letters.jsonl"
    told = command("dead-letters", "export", str(file), "--reason", "invalid_data", "--json", settings=world.settings)
    assert json.loads(told.stdout) == {"exported": 1}
    assert [json.loads(line) for line in file.read_text().splitlines()] == [first]
    again = command("dead-letters", "export", str(file), settings=world.settings)
    assert (again.returncode, file.read_text().count("\n")) == (4, 1)
    nowhere = command("dead-letters", "export", str(tmp_path / "none" / "x"), settings=world.settings)
    assert nowhere.returncode == 2
    nothing = command("dead-letters", "export", "--status", "resolved", settings=world.settings)
    assert (nothing.returncode, nothing.stdout) == (0, "")


def test_a_reason_or_status_that_there_is_not_is_usage_and_the_others_are_named() -> None:
    for words in (["list"], ["export"], ["discard"], ["retry"]):
        done = command("dead-letters", *words, "--reason", "nonsense", settings={"COLUMNS": "500"})
        assert (done.returncode, "version_conflict" in done.stderr, done.stdout) == (2, True, "")
    done = command("dead-letters", "list", "--status", "old", settings={"COLUMNS": "500"})
    assert (done.returncode, "resolved" in done.stderr) == (2, True)
