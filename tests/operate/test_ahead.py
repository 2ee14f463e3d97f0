"""What the service has read before its positions were set back or deleted is no difference, and nobody heals it."""

from pathlib import Path

import pytest

from tests.operate.commands import printed, told
from tests.operate.replaying import contents, everything
from tests.support.projector import running_projector
from tests.support.world import World

REBUILD = ("rebuild", "--execute", "--delete-unprovable", "--undo")
ONE_IS_GONE = "DELETE FROM projector.offsets WHERE topic LIKE '%users' AND partition = 0"
WAYS = {
    "earliest": "UPDATE projector.offsets SET next_offset = 0",
    "the middle": "UPDATE projector.offsets SET next_offset = next_offset / 2",
    "one is gone": ONE_IS_GONE,
    "all are gone": "DELETE FROM projector.offsets",
}


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_ahead_of_the_positions_is_named_and_stays(filled: World, way: str, tmp_path: Path) -> None:
    before, partitions = await everything(filled), {row["name"] for row in await filled.rows(POSITIONS)}
    await filled.rows(WAYS[way])
    found = await told(filled, "verify", exit_status=1)
    assert (found["verdict"], set(found["kinds"]), found["differing"]) == ("ahead", {"ahead"}, 0)
    gone = partitions - {row["name"] for row in await filled.rows(POSITIONS)}
    assert {sentence.partition(" ")[0] for sentence in found["without_position"]} == gone
    done = await told(filled, *REBUILD, str(tmp_path / "undo"), exit_status=1)
    assert (done["verdict"], done["healed"], done["undo"], done["ahead"] > 0) == ("ahead", 0, None, True)
    assert await everything(filled) == before
    one = found["differences"][0]
    assert (await told(filled, "verify", "--id", one["id"], exit_status=1))["verdict"] == "ahead"
    recheck = f"projector verify --recheck {found['operation'] + 3}"
    assert recheck in await printed(filled, "verify")


POSITIONS = "SELECT topic || ':' || partition AS name FROM projector.offsets"


async def test_what_was_changed_by_hand_is_told_from_what_is_ahead(filled: World, tmp_path: Path) -> None:
    """Documents of a user who is ahead are compared with what they find: these are right, and a forged one is not."""
    await filled.rows(ONE_IS_GONE)
    users = [d["id"] for d in (await told(filled, "verify", exit_status=1))["differences"] if d["table"] == "users"]
    before = await contents(filled)
    own = await filled.rows("SELECT id FROM documents WHERE user_id::text = ANY($1) LIMIT 2", users)
    forged, gone = (row["id"] for row in own)
    await filled.rows("UPDATE documents SET title = 'forged' WHERE id = $1", forged)
    await filled.rows("DELETE FROM documents WHERE id = $1", gone)
    found = await told(filled, "verify", exit_status=1)
    assert (found["verdict"], found["differing"]) == ("differs", 2)
    healed = {(d["id"], d["kind"]) for d in found["differences"] if d["kind"] != "ahead"}
    assert healed == {(str(forged), "different"), (str(gone), "missing")}
    done = await told(filled, *REBUILD, str(tmp_path / "undo"), exit_status=1)
    assert (done["verdict"], done["healed"], done["left"]) == ("ahead", 2, 0)
    assert await contents(filled) == before


async def test_a_service_that_reads_again_is_left_alone_and_ends_equal(filled: World, tmp_path: Path) -> None:
    before = await everything(filled)
    with running_projector(filled.settings):
        await told(filled, "offsets", "reset", "--all-topics", "--to-earliest", "--execute")
        done = await told(filled, *REBUILD, str(tmp_path / "undo"), exit_status=None)
        assert (done["verdict"] in ("ahead", "equal"), done["healed"], done["undo"]) == (True, 0, None)
        await filled.until_consumed(await filled.end_offsets())
        assert (await told(filled, "verify"))["verdict"] == "equal"
    assert await everything(filled) == before
