"""`verify` also compares what no table shows: it is what applications will see."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

from tests.operate.commands import told
from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

BOB, PLANS, DRAFT, GONE = (UUID(int=number) for number in (4, 5, 6, 7))
ABSENT, PARKED = "projector.absent_states", "projector.parked_events"

HISTORY = [
    a_user_event(id=ADA, email="one@example.com"),
    a_user_event(id=EVE, email="one@example.com"),  # contested
    a_document_event(id=PLANS, owner=EVE),  # waits with her
    a_user_event(id=BOB),
    a_document_event(id=NOTES, owner=BOB),
    a_user_event("deleted", BOB, 2),  # hides the notes
    a_document_event("created", DRAFT, owner=GONE),  # parked
    a_user_event("updated", GONE, 3, name="later"),
]


async def differences(world: World, exit_status: int = 1) -> set[tuple[str, str, str]]:
    report = await told(world, "verify", exit_status=exit_status)
    return {(d["table"], d["id"], d["kind"]) for d in report["differences"]}


async def test_what_waits_is_compared_wherever_it_is(world: World) -> None:
    await play(world, True, *HISTORY)
    kept = Counter(row["reason"] for row in await world.rows(f"SELECT reason FROM {ABSENT}"))
    assert kept == {"contested": 1, "no_parent": 2, "deleted": 1, "parent_deleted": 1}
    assert await differences(world, 0) == set()
    edit = f"UPDATE {ABSENT} SET state = jsonb_set(state, '{{%s}}', '\"forged\"') WHERE id = $1"
    for column, entity_id in (("title", NOTES), ("title", PLANS), ("name", EVE)):
        await world.rows(edit % column, entity_id)
    await world.rows(f"UPDATE {PARKED} SET data = jsonb_set(data, '{{name}}', '\"forged\"')")
    await world.rows(f"UPDATE {ABSENT} SET version = 1 WHERE id = $1", BOB)  # a tombstone
    await world.rows(f"DELETE FROM {ABSENT} WHERE id = $1", DRAFT)
    await world.rows("UPDATE users SET name = 'forged' WHERE id = $1", ADA)  # contested, and shown
    await world.rows(
        f"INSERT INTO {ABSENT} (entity, id, version, reason) VALUES ('document', $1, 9, 'deleted')", UUID(int=99)
    )
    assert await differences(world) == {
        (ABSENT, str(NOTES), "different"),
        (ABSENT, str(PLANS), "different"),
        (ABSENT, str(EVE), "different"),
        (PARKED, str(GONE), "different"),
        (ABSENT, str(BOB), "different"),
        (ABSENT, str(DRAFT), "missing"),
        ("users", str(ADA), "different"),
        (ABSENT, str(UUID(int=99)), "unexpected"),
    }


async def test_what_the_database_refused_when_its_turn_came_is_compared_where_it_waits(world: World) -> None:
    await world.rows("ALTER TABLE documents ADD CONSTRAINT no_notes CHECK (title <> 'Notes')")
    await play(world, True, a_document_event(id=NOTES, owner=ADA), a_user_event(id=ADA))
    assert await world.value(f"SELECT reason FROM {ABSENT}") == "refused"
    assert await differences(world, 0) == set()
    await world.rows(f"UPDATE {ABSENT} SET state = jsonb_set(state, '{{title}}', '\"forged\"')")
    assert await differences(world) == {(ABSENT, str(NOTES), "different")}


async def test_what_an_operator_gave_up_and_what_was_erased_is_no_difference(world: World) -> None:
    await play(world, True, *HISTORY)
    for one in (DRAFT, GONE):
        await told(world, "parked", "discard", str(one), "--execute")
    await world.rows(f"UPDATE {ABSENT} SET reason = 'erased', state = NULL, waiting_for = NULL WHERE id = $1", NOTES)
    assert await differences(world, 0) == set()
    await world.rows(f"DELETE FROM {ABSENT} WHERE id = $1", BOB)
    assert await differences(world) == {(ABSENT, str(BOB), "missing")}


async def test_of_two_contents_of_one_version_either_is_right_and_no_other(world: World) -> None:
    """Two topics are read again in another order than they came. The service kept what came first, and has a letter."""
    ada, eve = ([a_user_event(id=i, name=name, email=f"{i}@example.com") for name in "ab"] for i in (ADA, EVE))
    gone = [a_user_event("updated", GONE, 3, name=name) for name in "ab"]
    owned = a_document_event(id=NOTES, owner=EVE)
    await world.create_topics()
    with running_projector(world.settings) as projector:
        for topic, events in [
            ("users", [ada[0], gone[0]]),
            ("documents", [ada[1], gone[1], eve[0], owned]),
            ("users", [eve[1]]),
        ]:
            await world.publish([replace(a_record(event), topic=topic) for event in events])
            await world.until_consumed(await world.end_offsets())
        assert projector.terminate() == 0
    assert await world.value("SELECT count(*)::int FROM projector.dead_letters WHERE reason = 'version_conflict'") == 3
    report = await told(world, "verify")
    assert (report["differences"], report["open"]["disputed"]) == ([], 2)
    await world.rows("UPDATE users SET name = 'b' WHERE id = $1", ADA)  # the other one that was published
    await world.rows("UPDATE users SET name = 'c' WHERE id = $1", EVE)
    await world.rows("DELETE FROM documents WHERE id = $1", NOTES)  # hers
    assert await differences(world) == {("users", str(EVE), "different"), ("documents", str(NOTES), "missing")}
