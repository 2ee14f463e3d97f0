"""What the tables mean, seen from outside: events in, rows out. The oracle over all orders has its own issue."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

ADA, EVE = UUID(int=1), UUID(int=2)
NOTES = UUID(int=3)


@pytest.fixture(params=["one batch", "a batch each"])
def apart(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "a batch each")


async def test_partial_events_fold_onto_what_is_stored(world: World, apart: bool) -> None:
    await play(
        world,
        apart,
        a_user_event(id=ADA, email="ada@example.com", name="Ada"),
        a_user_event("updated", ADA, 2, name="Ada L."),
        a_user_event("updated", ADA, 3, email="lovelace@example.com"),
        a_user_event("updated", ADA, 4, is_active=False),
    )
    (ada,) = await world.rows("SELECT email, name, is_active, version FROM users")
    assert ada == {"email": "lovelace@example.com", "name": "Ada L.", "is_active": False, "version": 4}
    assert (await world.totals())["applied"] == 4


async def test_an_older_version_and_a_repeat_change_nothing(world: World, apart: bool) -> None:
    newest = a_user_event(id=ADA, version=3, name="third")
    await play(world, apart, newest, a_user_event(id=ADA, version=1, name="first"), newest)
    assert await world.value("SELECT name FROM users") == "third"
    assert await outcomes(world) == {"applied": 1, "superseded": 2}


async def test_of_several_states_those_that_are_there_already_count_as_superseded(world: World, apart: bool) -> None:
    states = [a_user_event(id=ADA, version=version, name=f"state {version}") for version in (1, 2, 4, 7)]
    await play(world, apart, *states[:2])
    await play(world, apart, *states, create=False)
    assert await world.value("SELECT name FROM users") == "state 7"
    assert await outcomes(world) == {"applied": 4, "superseded": 2}


async def test_a_document_before_its_user_is_parked_and_shown_when_the_user_comes(world: World) -> None:
    await play(world, True, a_document_event(id=NOTES, owner=ADA), a_document_event("updated", NOTES, 2, title="Two"))
    assert await world.value("SELECT count(*)::int FROM documents") == 0
    assert await outcomes(world) == {"parked": 2}
    (aside,) = await world.rows("SELECT reason, waiting_for, version FROM projector.absent_states")
    assert aside == {"reason": "no_parent", "waiting_for": ADA, "version": 2}
    await play(world, True, a_user_event(id=ADA), create=False)
    (document,) = await world.rows("SELECT title, user_id, version FROM documents")
    assert document == {"title": "Two", "user_id": ADA, "version": 2}
    assert await world.value("SELECT count(*)::int FROM projector.absent_states") == 0


async def test_a_partial_event_before_its_base_waits_for_it(world: World, apart: bool) -> None:
    await play(
        world,
        apart,
        a_user_event("updated", ADA, 3, name="three"),
        a_user_event("updated", ADA, 2, email="two@example.com"),
        a_user_event(id=ADA),
    )
    (ada,) = await world.rows("SELECT email, name, version FROM users")
    assert ada == {"email": "two@example.com", "name": "three", "version": 3}
    assert await world.value("SELECT count(*)::int FROM projector.parked_events") == 0
    assert await outcomes(world) == ({"applied": 1, "parked": 2} if apart else {"applied": 3})


async def test_documents_of_a_deleted_user_are_hidden_and_come_back_with_it(world: World, apart: bool) -> None:
    await play(world, apart, a_user_event(id=ADA), a_document_event(id=NOTES, owner=ADA))
    await play(world, apart, a_user_event("deleted", ADA, 2), create=False)
    assert await world.value("SELECT count(*)::int FROM users") == 0
    aside = await world.rows("SELECT entity, reason FROM projector.absent_states ORDER BY entity")
    assert aside == [
        {"entity": "document", "reason": "parent_deleted"},
        {"entity": "user", "reason": "deleted"},
    ]
    await play(world, apart, a_user_event(id=ADA, version=1), create=False)
    assert await world.value("SELECT count(*)::int FROM users") == 0, "an older event brought a deleted user back"
    await play(world, apart, a_user_event(id=ADA, version=3), create=False)
    assert await world.value("SELECT count(*)::int FROM documents") == 1


async def test_transfer_my_documents_then_delete_me_keeps_them(world: World, apart: bool) -> None:
    await play(world, apart, a_user_event(id=ADA), a_user_event(id=EVE), a_document_event(id=NOTES, owner=ADA))
    await play(
        world,
        apart,
        a_document_event("ownership_transferred", NOTES, 2, from_user_id=ADA, to_user_id=EVE),
        a_user_event("deleted", ADA, 2),
        create=False,
    )
    assert await world.value("SELECT user_id FROM documents") == EVE


async def test_a_transfer_from_one_who_is_not_the_owner_is_rejected(world: World, apart: bool) -> None:
    await play(
        world,
        apart,
        a_user_event(id=ADA),
        a_user_event(id=EVE),
        a_document_event(id=NOTES, owner=ADA),
        a_document_event("ownership_transferred", NOTES, 2, from_user_id=EVE, to_user_id=EVE),
    )
    assert await world.value("SELECT user_id FROM documents") == ADA
    assert await world.value("SELECT reason FROM projector.dead_letters") == "wrong_owner"


async def test_a_partial_event_on_a_deleted_user_is_rejected_also_after_it_was_parked(world: World) -> None:
    await play(world, True, a_user_event("updated", ADA, 3, name="ghost"), a_user_event("deleted", ADA, 2))
    assert await world.value("SELECT reason FROM projector.dead_letters") == "deleted"
    assert await world.value("SELECT count(*)::int FROM projector.parked_events") == 0


async def test_the_same_version_with_other_content_is_a_conflict(world: World, apart: bool) -> None:
    await play(world, apart, a_user_event(id=ADA, name="first"), a_user_event(id=ADA, name="second"))
    assert await world.value("SELECT name FROM users") == "first"
    assert await world.value("SELECT reason FROM projector.dead_letters") == "version_conflict"


async def test_an_address_that_is_taken_is_contested_and_blocks_nobody(world: World, apart: bool) -> None:
    await play(
        world,
        apart,
        a_user_event(id=ADA, email="one@example.com"),
        a_user_event(id=EVE, email="one@example.com"),
        a_user_event(),
    )
    assert await world.value("SELECT id FROM users WHERE email = 'one@example.com'") == ADA
    assert await world.value("SELECT count(*)::int FROM users") == 2
    (aside,) = await world.rows("SELECT id, reason FROM projector.absent_states")
    assert aside == {"id": EVE, "reason": "contested"}


@pytest.mark.parametrize("freed_by", ["a change", "a deletion"])
async def test_a_contested_address_is_settled_in_the_transaction_that_frees_it(
    world: World, apart: bool, freed_by: str
) -> None:
    await play(
        world,
        apart,
        a_user_event(id=ADA, email="one@example.com"),
        a_user_event(id=EVE, email="one@example.com"),
        a_document_event(id=NOTES, owner=EVE),
    )
    assert await world.value("SELECT count(*)::int FROM documents") == 0
    kind, data = ("updated", {"email": "two@example.com"}) if freed_by == "a change" else ("deleted", {})
    await play(world, apart, a_user_event(kind, ADA, 2, **data), create=False)
    assert await world.value("SELECT id FROM users WHERE email = 'one@example.com'") == EVE
    assert await world.value("SELECT user_id FROM documents") == EVE
    assert await world.value("SELECT count(*)::int FROM projector.absent_states WHERE reason = 'contested'") == 0


async def test_a_cycle_of_three_addresses_across_batches_ends_right(world: World, apart: bool) -> None:
    ids = [UUID(int=n) for n in (11, 12, 13)]
    await play(world, apart, *[a_user_event(id=i, email=f"{n}@example.com") for n, i in enumerate(ids)])
    moves = [a_user_event("updated", i, 2, email=f"{(n + 1) % 3}@example.com") for n, i in enumerate(ids)]
    await play(world, apart, *moves, create=False)
    rows = await world.rows("SELECT email FROM users ORDER BY id")
    assert [row["email"] for row in rows] == ["1@example.com", "2@example.com", "0@example.com"]
    assert await world.value("SELECT count(*)::int FROM projector.absent_states") == 0


async def test_two_users_swap_their_addresses_in_one_batch(world: World) -> None:
    await play(world, False, a_user_event(id=ADA, email="a@example.com"), a_user_event(id=EVE, email="e@example.com"))
    await play(
        world,
        False,
        a_user_event("updated", ADA, 2, email="e@example.com"),
        a_user_event("updated", EVE, 2, email="a@example.com"),
        create=False,
    )
    rows = await world.rows("SELECT id, email FROM users ORDER BY id")
    assert [row["email"] for row in rows] == ["e@example.com", "a@example.com"]


async def test_unknown_types_and_compaction_markers_are_ignored(world: World) -> None:
    await world.create_topics()
    await world.publish_raw("users", None, str(uuid4()).encode())
    await play(world, True, {**a_user_event(), "type": "user.renamed"}, create=False)
    assert await outcomes(world) == {"ignored": 2}


async def play(world: World, apart: bool, *events: dict[str, Any], create: bool = True) -> None:
    """Send `events` to partitions in this order and wait until all are consumed: in one batch, or one by one."""
    if create:
        await world.create_topics()
    settings = world.settings | {"KAFKA_GROUP_INSTANCE_ID": "one"}
    if apart:
        with running_projector(settings) as projector:
            for event in events:
                await world.publish([a_record(event)])
                await world.until_consumed(await world.end_offsets())
            assert projector.terminate() == 0
        return
    await world.publish([a_record(event) for event in events])
    with running_projector(settings | {"BATCH_MAX_WAIT_MS": "400"}) as projector:
        await world.until_consumed(await world.end_offsets())
        assert projector.terminate() == 0


async def outcomes(world: World) -> dict[str, int]:
    return {name: number for name, number in (await world.totals()).items() if number}
