"""A topic that was deleted and created again: no command takes its records for those of the topic before it."""

from pathlib import Path
from uuid import UUID

from neon_projector.consumer.admin.rebuild.asked import Asked
from neon_projector.consumer.admin.rebuild.rebuild import rebuild
from neon_projector.consumer.admin.rebuild.todo import Choice
from neon_projector.consumer.admin.verify.source import Tell
from neon_projector.consumer.admin.verify.wanted import Wanted
from neon_projector.consumer.environment import load_settings
from neon_projector.models.engine import create_service_engine
from neon_projector.projections.registry import REGISTRY
from tests.operate.commands import RETRY, printed, told
from tests.operate.test_edit import file_of
from tests.service.test_meaning import ADA, EVE
from tests.support.factories import a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.topics import create_topics, delete_topics
from tests.support.world import World

BOB, FAY = UUID(int=7), UUID(int=8)


class OfOthers(World):
    """The same with a group of its own."""

    @property
    def group(self) -> str:
        return f"others-{self.users}"


async def apply(world: World, records: int) -> None:
    """Run the service until so many offsets are read in all."""
    with running_projector(world.settings) as projector:
        await world.until_consumed(records)
        assert projector.terminate() == 0


async def begin(world: World, tmp_path: Path) -> None:
    """Five records, of which one was rejected and mended, one is rejected and one parked; an earlier reset has left the
    second out, it is said. Then the topic is another one, with eight."""
    await world.create_topics()
    old = [
        a_user_event(id=ADA), a_user_event("updated", ADA, 2, name="two"), a_user_event(id=EVE, email="nobody"),
        a_user_event("updated", BOB, 3, name="x"), a_user_event("updated", EVE, 2, email="nobody"),
    ]  # fmt: skip
    await world.publish([a_record(event) for event in old])
    await apply(world, 5)
    mended = file_of(tmp_path, a_user_event(id=EVE, email="eve@example.com"))
    assert (await told(world, *RETRY, "1", "--edit", mended, "--execute"))["outcome"] == "applied"
    await world.rows(
        """INSERT INTO projector.operations (command, actor, finished_at, before, after)
        VALUES ('offsets reset', 'me', now(), jsonb_build_object($1::text, 1), jsonb_build_object($1::text, 2))""",
        f"{world.users}:0",
    )
    await delete_topics(world.bootstrap, world.users)
    await create_topics(world.bootstrap, world.users)
    new = [
        a_user_event(id=BOB), a_user_event("updated", BOB, 2, name="y"), a_user_event(id=FAY),
        a_user_event("updated", FAY, 2, name="two"), a_user_event("updated", EVE, 2, name="two"),
        *[a_user_event("updated", ADA, version, name="n") for version in (3, 4, 5)],
    ]  # fmt: skip
    await world.publish([a_record(event) for event in new])


async def did(world: World, one: UUID, exit_status: int) -> tuple[list[tuple[int, str]], str]:
    """What is said of its records in Kafka, by offset, and the conclusion."""
    story = await told(world, "explain", str(one), "--from-topic", exit_status=exit_status)
    records = [(row["offset"], row["did"]) for row in story["records"] if row["topic"] == world.users]
    return records, story["conclusion"]


async def test_no_record_of_the_new_topic_is_taken_for_one_of_the_old(world: World, tmp_path: Path) -> None:
    await begin(world, tmp_path)
    gone = f"{world.users}:0: the topic was created again, and what it had before the position 5 is gone"
    for one, offsets in ((ADA, (5, 6, 7)), (EVE, (4,)), (BOB, (0, 1)), (FAY, (2, 3))):
        records, says = await did(world, one, 1)
        assert records == [(offset, "unread") for offset in offsets], one
        assert f"the topics can't tell all of it ({gone})" in says or f"by another program ({gone})" in says
        assert "changed by hand" not in says
        assert "was written up to" not in says
    fay = await told(world, "explain", str(FAY))
    assert (fay["in_topics"], fay["not_read"]) == ({str(FAY): []}, [gone])
    partition = ("explain", "--partition", f"{world.users}:0")
    left_out = await told(world, *partition, exit_status=1)
    assert (left_out["not_read"], left_out["fresh"]) == ([gone], 0)
    assert {row["id"] for row in left_out["may_be_stale"]} == {str(ADA), str(EVE)}
    held = await told(world, "forget", str(FAY))
    assert [(one["topic"], one["records"]) for one in held["kafka"]][-1] == (world.users, 2)
    assert held["not_read"] == []

    shift = await printed(world, "offsets", "reset", "--topic", world.users, "--shift-by", "-1")
    assert "another topic, taken for the same records, 1 read again" in " ".join(shift.split())
    (move,) = await told(world, "offsets", "reset", "--topic", world.users, "--to-earliest", "--execute")
    assert (move["from"], move["to"], move["created_again"]) == (5, 0, True)
    await apply(world, 8)
    operation = (await world.rows("SELECT id FROM projector.operations ORDER BY id"))[-1]
    before = f"the topic was created again before operation {operation['id']}, and what it had then is gone"
    for one, offsets, status in ((EVE, (4,), 1), (FAY, (2, 3), 0)):
        records, says = await did(world, one, status)
        assert records == [(offset, "stored") for offset in offsets], one
        assert f"the topics can't tell all of it ({world.users}:0: {before})" in says
    left_out = await told(world, *partition, exit_status=1)
    ((start, end, in_kafka),) = [(one["from"], one["to"], one["in_kafka"]) for one in left_out["windows"]]
    assert (start, end, in_kafka, left_out["fresh"]) == (1, 2, False, 3)
    assert [row["id"] for row in left_out["may_be_stale"]] == [str(BOB)], "the new topic has an older version only"
    await world.rows("DELETE FROM users WHERE id = $1", FAY)
    fay = await told(world, "explain", str(FAY), exit_status=1)
    assert f"was written up to version 2 ({world.users}:0 offset 3)" in fay["conclusion"]
    of = "UPDATE projector.operations SET filter = CAST($1 AS jsonb), after = after - 'topic_ids' WHERE id = $2"
    group = await world.value("SELECT filter FROM projector.operations WHERE id = $1", operation["id"])
    for filter_, counts in (('{"group_id": "theirs"}', False), (None, True), (group, True)):
        await world.rows(of, filter_, operation["id"])
        assert (before in await printed(world, *partition)) is counts, filter_
    undo = ("--execute", "--undo", str(tmp_path / "undo.jsonl"))
    assert (await told(world, "rebuild", *undo, exit_status=5))["healed"] == 1
    assert await world.value("SELECT version::int FROM users WHERE id = $1", FAY) == 2


async def test_a_rebuild_that_goes_on_heals_nothing_from_records_of_the_new_topic(world: World, tmp_path: Path) -> None:
    """It was asked before the topic was created again; now the records of the two have each other's place."""
    await world.create_topics()
    await world.publish([a_record(a_user_event(id=one)) for one in (ADA, EVE)])
    await apply(world, 2)
    await world.rows("UPDATE users SET name = 'forged'")
    settings, asked = load_settings(world.settings), Asked(Wanted(), Choice(), tmp_path)
    engine = create_service_engine(settings)
    try:
        found = await rebuild(engine, settings, REGISTRY, asked, Tell(), ask_first=True)
        await delete_topics(world.bootstrap, world.users)
        await create_topics(world.bootstrap, world.users)
        await world.publish([a_record(a_user_event(id=one, name="new")) for one in (EVE, ADA)])
        done = await rebuild(engine, settings, REGISTRY, None, Tell(), resume=found.operation)
    finally:
        await engine.dispose()
    assert (found.chosen, done.healed, done.lost) == (2, 0, 2)
    assert [row["name"] for row in await world.rows("SELECT name FROM users")] == ["forged"] * 2


async def test_where_nothing_of_the_new_topic_is_read_yet_no_row_is_taken_away(world: World, tmp_path: Path) -> None:
    """Whatever has become of the position: it is at the beginning, or it is another group's."""

    async def nothing_is_taken(own: World, why: str) -> None:
        done = await told(own, "rebuild", "--execute", "--undo", str(tmp_path / "undo"), exit_status=5)
        assert (done["healed"], done["unproved"]) == (0, 2)
        assert done["unprovable"] == [f"{world.users}:0: {why}"]
        assert await world.value("SELECT count(*)::int FROM users") == 2

    async def reset() -> str:
        await told(world, "offsets", "reset", "--topic", world.users, "--to-earliest", "--execute")
        number = await world.value("SELECT max(id) FROM projector.operations WHERE command = 'offsets reset'")
        return f"the topic was created again before operation {number}, and what it had then is gone"

    async def create_again() -> None:
        await delete_topics(world.bootstrap, world.users)
        await create_topics(world.bootstrap, world.users)

    await world.create_topics()
    await world.publish([a_record(a_user_event(id=one)) for one in (ADA, EVE)])
    await apply(world, 2)
    await create_again()
    theirs = OfOthers(world.bootstrap, world.database_url, world.users, world.documents)
    at_the_beginning = "INSERT INTO projector.offsets (group_id, topic, partition, next_offset) VALUES ($1, $2, 0, 0)"
    await world.rows(at_the_beginning, theirs.group, world.users)
    await nothing_is_taken(theirs, "another group has read a topic of this name that is gone")
    why = await reset()
    await nothing_is_taken(world, why)
    await nothing_is_taken(theirs, why)

    await world.rows("DELETE FROM projector.operations")
    await world.rows("DELETE FROM projector.offsets WHERE group_id = $1", theirs.group)
    await world.publish([a_record(a_user_event(id=one)) for one in (ADA, EVE)])
    await apply(world, 2)
    why = await reset()
    await create_again()
    await nothing_is_taken(world, why)
    await delete_topics(world.bootstrap, world.users)
    await nothing_is_taken(world, "Kafka has no such topic, and what it had is gone")
