"""What `retry --edit` has applied is a part of what was received: verify, rebuild and explain know it."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.operate.commands import RETRY, told
from tests.operate.test_edit import file_of
from tests.oracle.arrival import any_order
from tests.oracle.upstream import Upstream
from tests.service.test_meaning import ADA
from tests.support.factories import a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

SECOND = a_user_event("updated", ADA, 2, name="Second")


async def begin(world: World, tmp_path: Path, *more: dict[str, Any]) -> None:
    """ADA's second version came with an address that is none, and was applied after somebody had mended it."""
    await world.create_topics()
    bad = a_user_event("updated", ADA, 2, name="Second", email="nobody")
    await world.publish([a_record(event) for event in (a_user_event(id=ADA), bad, *more)])
    with running_projector(world.settings) as projector:
        await world.until_consumed(await world.end_offsets())
        assert projector.terminate() == 0
    edit = (*RETRY, "1", "--edit", file_of(tmp_path, SECOND), "--execute")
    assert (await told(world, *edit))["outcome"] == "applied"


async def test_a_rebuild_brings_what_was_mended_back_and_never_takes_it_away(world: World, tmp_path: Path) -> None:
    await begin(world, tmp_path, a_user_event("updated", ADA, 3, is_active=False))  # it had waited for the second
    before = await world.rows("SELECT * FROM users")
    assert [(row["version"], row["name"]) for row in before] == [(3, "Second")]
    for scope in ((), ("--id", str(ADA))):
        assert (await told(world, "verify", *scope))["verdict"] == "equal"
    await world.rows("UPDATE users SET name = 'forged'")
    undo = ("--execute", "--undo", str(tmp_path / "undo.jsonl"))
    assert (await told(world, "rebuild", "--id", str(ADA), *undo))["healed"] == 1
    await world.rows("DELETE FROM users")
    assert (await told(world, "rebuild", *undo[:-1], str(tmp_path / "more.jsonl")))["healed"] == 1
    assert await world.rows("SELECT * FROM users") == before
    story = await told(world, "explain", str(ADA), "--from-topic", exit_status=None)
    steps = [(row["topic"], row["version"], row["did"]) for row in story["records"]]
    assert steps == [
        (world.users, 1, "stored"), (world.users, None, "rejected"), (world.users, 3, "stored"),
        ("projector.operations", 2, "stored"),
    ]  # fmt: skip


async def test_the_record_that_came_is_left_out_also_where_it_is_an_event(world: World, tmp_path: Path) -> None:
    """Only the database refused it: the topics have another second version, which the service would take today."""
    await world.create_topics()
    await world.rows("ALTER TABLE users ADD CONSTRAINT short CHECK (length(name) < 20)")
    long = a_user_event("updated", ADA, 2, name="x" * 30)
    await world.publish([a_record(event) for event in (a_user_event(id=ADA), long)])
    with running_projector(world.settings) as projector:
        await world.until_consumed(2)
        assert projector.terminate() == 0
    edit = (*RETRY, "1", "--edit", file_of(tmp_path, SECOND), "--execute")
    assert (await told(world, *edit))["outcome"] == "applied"
    report = await told(world, "verify")
    assert (report["verdict"], report["open"]["disputed"]) == ("equal", 0)


async def test_any_history_with_mended_records_is_proved_and_nothing_is_rebuilt(world: World, tmp_path: Path) -> None:
    rng = random.Random("edits")
    events = any_order(Upstream(rng).live(60, comments=False), rng)
    bad = set(rng.sample(range(len(events)), 5))
    await world.create_topics()
    records = [a_record(event) for event in events]
    sent = await world.publish([replace(one, value=b"{") if n in bad else one for n, one in enumerate(records)])
    with running_projector(world.settings) as projector:
        await world.until_consumed(len(events))
        assert projector.terminate() == 0
    letters = {(r["topic"], r["offset"]): r["id"] for r in await world.rows("SELECT * FROM projector.dead_letters")}
    for number in sorted(bad, key=lambda _: rng.random()):
        letter = letters.get((sent[number].topic, sent[number].offset))
        file = file_of(tmp_path, json.dumps(events[number]).encode())
        await told(world, *RETRY, str(letter), "--edit", file, "--execute", exit_status=None)
    report = await told(world, "verify")
    assert (report["verdict"], report["unprovable"]) == ("equal", [])
    assert (await told(world, "rebuild"))["differing"] == 0
