"""`explain` with the records themselves, and of who is known by a value only."""

from uuid import UUID

from tests.operate.commands import printed, told
from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.support.factories import ARecord, a_document_event, a_record, a_user_event
from tests.support.topics import delete_records
from tests.support.world import World

BOB = UUID(int=7)


async def test_the_records_are_read_and_folded_step_by_step(world: World) -> None:
    await world.create_topics()
    await world.publish([ARecord(b"{no JSON", str(EVE).encode())])
    history = [
        a_user_event(id=ADA),
        a_user_event("updated", ADA, 2, name="two"),
        a_user_event("updated", EVE, 3, name="x"),
    ]
    await play(world, True, *history, create=False)
    await world.publish([a_record(a_user_event("updated", ADA, 3, name="three"))])
    ada = await told(world, "explain", str(ADA), "--from-topic", exit_status=1)
    assert [(row["version"], row["would"], row["changes"], row["did"]) for row in ada["records"][1:]] == [
        (2, "applied", ["name"], "stored"),
        (3, "applied", ["name"], "unread"),
    ]
    assert ada["conclusion"] == (
        f"it is there, as user of version 2; 1 of its records is not read yet, from {world.users}:0 offset 4 on"
    )
    assert ada["next"] == ["projector status"]
    eve = await told(world, "explain", str(EVE), "--from-topic", exit_status=1)
    assert [(row["type"], row["did"]) for row in eve["records"]] == [(None, "rejected"), ("user.updated", "parked")]
    assert "the topics have no event of version 1, 2: ask its publisher" in eve["conclusion"]
    await world.rows("UPDATE users SET version = 1")
    by_hand = await told(world, "explain", str(ADA), "--from-topic", exit_status=1)
    assert "version 2 was read, but an older one is stored" in by_hand["conclusion"]
    nobody = await told(world, "explain", str(BOB), "--from-topic")
    assert nobody["conclusion"] == "nothing is known of it; the topics have no record of it"
    shown = await printed(world, "explain", str(ADA), "--from-topic")
    assert "user.updated" in shown
    assert "three" not in shown
    await delete_records(world.bootstrap, world.users, 2)
    ada = await told(world, "explain", str(ADA), "--from-topic", exit_status=1)
    assert ada["conclusion"].endswith(
        f"the topics can't tell all of it ({world.users}:0: Kafka no longer has the records before offset 2)"
    )


async def test_who_has_wants_or_would_have_had_a_value_is_found(world: World) -> None:
    await play(
        world,
        True,
        a_user_event(id=ADA, email="one@example.com"),
        a_user_event(id=EVE, email="one@example.com"),
        a_document_event(id=NOTES, owner=ADA, title="Plans"),
        a_user_event("updated", BOB, 2, email="bob@example.com"),
        a_user_event(email="wrong@example.com", name=""),
    )
    one = await told(world, "explain", "--email", "One@Example.com", exit_status=1)
    assert [(row["id"], row["stands"]) for row in one["found"]] == [(str(ADA), "there"), (str(EVE), "contested")]
    assert [story["waits"] for story in one["stories"]] == [False, True]
    notes = await told(world, "explain", "--title", "Plans")
    assert [(row["entity"], row["id"]) for row in notes["found"]] == [("document", str(NOTES))]
    bob = await told(world, "explain", "--email", "bob@example.com", exit_status=1)
    assert [(row["stands"], len(bob["stories"])) for row in bob["found"]] == [("parked", 1)]
    wrong = await told(world, "explain", "--email", "wrong@example.com", exit_status=1)
    (letter,) = wrong["dead_letters"]
    assert (wrong["found"], letter["reason"]) == ([], "invalid_data")
    shown = await printed(world, "explain", "--email", "wrong@example.com")
    assert shown.splitlines() == [
        "nothing that is stored has this email",
        f"rejected records that name this email: dead letters {letter['id']}",
        f"Next: projector dead-letters show {letter['id']}",
    ]
    assert await told(world, "explain", "--title", "Nobody") == {"found": [], "dead_letters": [], "stories": []}
