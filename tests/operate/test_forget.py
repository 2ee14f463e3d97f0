"""A person is forgotten: nothing of the content is left in the database, and what Kafka still holds is said."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from neon_projector.consumer.admin.kafka_holds import until_when
from tests.operate.commands import RETRY, printed, refused, told
from tests.operate.test_edit import file_of
from tests.service.test_meaning import ADA, EVE, NOTES
from tests.support.factories import ARecord, a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

ORPHAN = UUID(int=9)
WORDS = ("Lovelace", "Diary", "lovelace@", "Countess")
TABLES = ("absent_states", "parked_events", "dead_letters", "operations")


async def content(world: World) -> str:
    """All that the service's own tables hold, as text; bytes as they are."""
    connection = await asyncpg.connect(world.database_url)
    try:
        rows = [row for table in TABLES for row in await connection.fetch(f"SELECT * FROM projector.{table}")]
        return "\n".join(str(dict(row)) for row in rows)
    finally:
        await connection.close()


async def test_nothing_of_a_forgotten_person_is_left_or_comes_back(world: World, tmp_path: Path) -> None:
    await world.create_topics()
    await world.publish(
        [
            a_record(a_user_event(id=ADA, name="Lovelace")),
            a_record(a_user_event("updated", ADA, 2, email="lovelace@", name="Lovelace")),  # rejected
            ARecord(b"Countess", key=str(ADA).encode(), headers=(("who", b"Countess"),), topic="users"),  # rejected
            a_record(a_user_event("updated", ADA, 9, name="Countess")),  # parked
            a_record(a_user_event(id=EVE, email="nobody", name="Eve")),  # rejected, of somebody else
        ]
    )
    with running_projector(world.settings) as projector:
        await world.until_consumed(5)
        assert await refused(world, "forget", str(ADA), "--execute") == 4  # her row is shown
        diary = [
            a_document_event(id=NOTES, owner=ADA, title="Diary"),
            a_document_event("updated", NOTES, 3, title="Diary"),
        ]
        await world.publish([a_record(event) for event in diary])
        await world.until_consumed(7)
        edit = file_of(tmp_path, a_user_event("updated", ADA, 2, name="Countess"))
        assert (await told(world, *RETRY, "1", "--edit", edit, "--execute"))["outcome"] == "applied"
        await world.publish([a_record(a_user_event("deleted", ADA, 3))])
        await world.until_consumed(8)
        before = await content(world)
        assert all(word in before for word in WORDS)
        dry = await told(world, "forget", str(ADA))
        assert await content(world) == before
        done = await told(world, "forget", str(ADA), "--execute")
        assert done == dry | {"executed": True}
        counts = {name: done[name] for name in ("letters", "parked_events", "absent_states", "edited_values")}
        assert counts == {"letters": 2, "parked_events": 2, "absent_states": 1, "edited_values": 1}
        assert done["ids"] == [str(ADA), str(NOTES)]
        kept = {one["topic"]: (one["records"], one["until"]) for one in done["kafka"]}
        assert kept == {world.users: (3, None), world.documents: (2, None)}
        after = await content(world)
        assert [word for word in WORDS if word in after] == []
        assert "Eve" in after
        letters = await world.rows("SELECT status FROM projector.dead_letters ORDER BY id")
        assert [row["status"] for row in letters] == ["resolved", "discarded", "new"]
        epoch = await world.value("SELECT sum(epoch)::int FROM projector.offsets")
        await told(world, "offsets", "reset", "--all-topics", "--to-earliest", "--execute")
        await world.until(f"SELECT sum(epoch) > {epoch} AND sum(next_offset) = 8 FROM projector.offsets", True)
        again = await content(world)
        assert [word for word in WORDS if word in again] == []
        assert await world.value("SELECT count(*)::int FROM users") == 0
        assert (await told(world, "verify"))["differences"] == []
        said = await printed(world, "forget", str(ADA), "--search-seconds", "0")
        assert "0 states kept aside" in said
        assert "a dry run" in said
        assert projector.terminate() == 0


async def test_somebody_never_seen_is_forgotten_with_what_waits_for_him(world: World) -> None:
    await world.create_topics()
    await world.publish([a_record(a_document_event(id=NOTES, owner=ORPHAN, title="Diary"))])
    await world.publish([a_record(a_user_event("updated", EVE, 2, name="Countess"))])  # nothing else is known of her
    with running_projector(world.settings) as projector:
        await world.until_consumed(2)
        assert (await told(world, "forget", str(ORPHAN), "--execute"))["absent_states"] == 1
        assert (await told(world, "forget", str(EVE), "--execute"))["parked_events"] == 1
        explained = await told(world, "explain", str(NOTES))
        assert "erased by projector forget" in explained["conclusion"]
        await world.publish([a_record(a_user_event(id=ORPHAN))])
        await world.until("SELECT count(*)::int FROM users", 1)
        assert (await told(world, "verify"))["differences"] == []
        await world.publish([a_record(a_document_event(id=NOTES, version=2, owner=ORPHAN))])  # it comes back by its own
        await world.until("SELECT count(*)::int FROM documents", 1)
        assert (await told(world, "verify"))["differences"] == []
        assert projector.terminate() == 0


def test_until_when_is_by_the_settings_of_the_topic() -> None:
    newest, week = datetime(2026, 11, 22, tzinfo=UTC), {"cleanup.policy": "delete", "retention.ms": "604800000"}
    assert until_when(newest, week)[0] == newest + timedelta(days=7)
    for kept in (week | {"retention.ms": "-1"}, week | {"cleanup.policy": "compact"}, {}, None):
        assert until_when(newest, kept)[0] is None
    assert until_when(None, week)[0] is None
