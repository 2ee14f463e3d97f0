"""The conclusion follows what an entity waits for to its end."""

from pathlib import Path
from uuid import UUID

import pytest

from neon_projector.consumer.admin.explain.story import explain
from neon_projector.consumer.environment import load_settings
from neon_projector.models.engine import create_service_engine
from neon_projector.projections.registry import REGISTRY
from tests.operate.commands import printed, told
from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.support.factories import ARecord, a_document_event, a_user_event
from tests.support.world import World

AGAIN = "ask the publisher to send it again, corrected, with the same version"
PLANS, DRAFT, BOB, NOBODY = (UUID(int=number) for number in (5, 6, 7, 8))


async def test_what_it_waits_for_may_wait_itself(world: World) -> None:
    await play(
        world,
        True,
        a_user_event(id=ADA, email="one@example.com"),
        a_user_event(id=EVE, email="one@example.com"),
        a_document_event(id=NOTES, owner=EVE),
        a_document_event(id=PLANS, owner=NOBODY),
        a_user_event("updated", BOB, 2, name="Bob"),
        a_document_event(id=DRAFT, owner=BOB),
    )
    ready = "its own version 1 is ready"
    assert await said(world, NOTES) == (
        f"it waits for user {EVE}; {ready}; user {EVE}: it waits for a unique value that {ADA} holds"
    )
    assert await said(world, PLANS) == f"it waits for user {NOBODY}; {ready}; no event of user {NOBODY} has come"
    assert await said(world, DRAFT) == f"it waits for user {BOB}; {ready}; of user {BOB} only later changes have come"
    contested = await told(world, "explain", str(EVE), exit_status=1)
    ask = "its publisher can have either of the two take another email"
    assert contested["conclusion"] == f"it waits for the email that {ADA} holds; {ready}; {ask}"
    assert contested["next"] == [f"projector explain {ADA}"]
    assert (await told(world, "explain", str(ADA)))["waits"] is False


async def test_every_gap_is_named_and_what_may_fill_it(world: World) -> None:
    await play(
        world,
        True,
        a_user_event(id=ADA, email="nobody"),
        a_user_event("updated", ADA, 3, name="three"),
        a_user_event("updated", ADA, 5, name="five"),
        a_user_event("deleted", EVE, 7),
    )
    assert await said(world, ADA) == (
        "2 later changes wait for version 1, 2, 4, or for a complete event; "
        f"a rejected record ({world.users}:0 offset 0: invalid_data) may be what is missing: {AGAIN}"
    )
    assert (
        await said(world, EVE)
        == "it is deleted (version 7), and numbering goes on: what creates it again needs a higher version"
    )
    assert await said(world, NOBODY) == "nothing is known of it"
    nobody = await told(world, "explain", str(NOBODY))
    assert nobody["next"] == [f"projector explain {NOBODY} --from-topic"]


async def test_what_was_deleted_by_hand_is_not_the_publishers_fault(world: World, tmp_path: Path) -> None:
    history = [a_user_event(id=ADA), a_user_event("updated", ADA, 2, name="two"), a_document_event(id=NOTES, owner=ADA)]
    await play(world, False, *history, a_user_event(id=EVE), a_user_event("deleted", EVE, 2))
    await world.rows("DELETE FROM users")
    await world.rows("DELETE FROM projector.absent_states")
    assert await said(world, ADA) == (
        f"its user was written up to version 2 ({world.users}:0 offset 1), and is gone without an event: deleted by "
        f"hand or by another program; 1 document of it is gone too ({NOTES})"
    )
    gone = await told(world, "explain", str(ADA), exit_status=1)
    assert gone["ask"] == []
    assert gone["gone_with_it"] == [{"entity": "document", "id": str(NOTES)}]
    assert gone["next"] == [f"projector rebuild --id {ADA} --execute"]
    notes = await told(world, "explain", str(NOTES), exit_status=1)
    assert notes["next"] == [f"projector rebuild --id {NOTES} --execute"]
    assert [(one["what"], one["outcome"]) for one in gone["timeline"]] == [
        ("user.created version 1", "published"), ("user.updated version 2", "published"),
    ]  # fmt: skip
    assert (await said(world, NOTES)).endswith("deleted by hand or by another program, or with its user")
    assert "which deletes it; the service's note of that was removed" in await said(world, EVE)
    assert await said(world, NOBODY) == "nothing is known of it"
    later = (a_user_event(id=BOB), a_document_event(id=PLANS, owner=ADA), a_user_event("updated", ADA, 4, name="four"))
    await play(world, True, *later, create=False)
    assert f"of {ADA}: its user was written up to version 2" in await said(world, PLANS)
    waits = "1 later change waits for version 1, 2, 3, or for a complete event; its user was written up to version 2"
    assert waits in await said(world, ADA)
    await told(world, *gone["next"][0].split()[1:], "--undo", str(tmp_path / "undo"), "--yes")
    assert (await said(world, ADA)).startswith("it is there, as user of version 2; 1 later change waits for version 3,")
    assert await said(world, NOTES) == "it is there, as document of version 1"


async def test_where_the_topics_are_not_read_nobody_is_blamed(world: World) -> None:
    await play(world, True, a_user_event(id=ADA), a_document_event(id=NOTES, owner=NOBODY))
    assert (await said(world, EVE, seconds=0)).endswith("by another program (the topics were not read)")
    for one in (EVE, NOTES):
        unread = await said(world, one, seconds=1, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
        assert "or its row was deleted by hand or by another program (" in unread
    assert await said(world, EVE) == "nothing is known of it"
    assert f"no event of user {NOBODY} has come" in await said(world, NOTES)


async def test_a_record_that_never_became_an_event_is_connected_by_its_key(world: World) -> None:
    await world.create_topics()
    await world.publish([ARecord(b"{no JSON", str(ADA).encode())])
    changed = [a_user_event("updated", ADA, 2, name="two"), a_document_event(id=NOTES, owner=ADA)]
    await play(world, True, *changed, create=False)
    ada = await told(world, "explain", str(ADA), exit_status=1)
    (letter,) = ada["dead_letters"]
    assert (letter["by_key"], letter["entity_id"], letter["reason"]) == (False, str(ADA), "invalid_json")
    record = f"a rejected record ({world.users}:0 offset 0: invalid_json)"
    assert ada["conclusion"] == (
        f"1 later change waits for version 1, or for a complete event; {record} may be what is missing: {AGAIN}"
    )
    assert ada["next"] == [f"projector dead-letters show {letter['id']}"], "no retry can read what is no JSON"
    (ask,) = ada["ask"]
    assert ask.startswith(
        f"To the publisher of /tests: please publish version 1 of user {ADA}, or a complete event of version 3 or "
        f"higher. {world.users}:0 offset 0 was rejected as invalid_json: "
    )
    assert f"To the publisher: please publish again, corrected, with the same version. {world.users}:0 offset 0" in (
        await printed(world, "dead-letters", "show", str(letter["id"]))
    ), "of a record that is no event nobody knows the source"
    assert [(one["what"], one["where"], one["outcome"].partition(":")[0]) for one in ada["timeline"]] == [
        ("a record that is no event", f"{world.users}:0 offset 0", "rejected"),
        ("user.updated version 2", f"{world.users}:0 offset 1", "parked"),
    ]
    notes = await told(world, "explain", str(NOTES), exit_status=1)
    said_of_ada = f"of user {ADA} only later changes have come ({record} may be what is missing: {AGAIN})"
    assert said_of_ada in notes["conclusion"]
    assert notes["next"] == ada["next"]
    shown = await printed(world, "explain", str(ADA))
    assert shown.splitlines()[-1] == f"Next: projector dead-letters show {letter['id']}"
    await play(world, True, a_user_event(id=ADA), create=False)
    healed = await told(world, "explain", str(ADA), exit_status=1)
    assert healed["conclusion"] == (
        f"it is there, as user of version 2; {record} of it (if sent again since, discard it)"
    )
    assert healed["next"] == [*ada["next"], f"projector dead-letters discard {letter['id']}"]


@pytest.mark.parametrize(
    "key",
    [str(ADA).upper().encode(), ADA.hex.encode(), f'"{ADA}"'.encode(), f"{{{ADA}}}".encode(), ADA.bytes,
     f"urn:uuid:{ADA}".encode()],
)  # fmt: skip
async def test_however_a_key_writes_the_id_it_is_found(world: World, key: bytes) -> None:
    insert = """INSERT INTO projector.dead_letters (topic, partition, "offset", sha256, key, reason, error, headers)
        VALUES ($1, 0, $2, 'x', $3, 'invalid_json', 'e', '[]')"""
    others = (str(EVE).encode(), b"\xff\x00", b"", None, b"x" * 200 + str(ADA).encode())
    for offset, one in enumerate([key, *others]):
        await world.rows(insert, world.users, offset, one)
    ada = await told(world, "explain", str(ADA), "--search-seconds", "0", exit_status=1)
    assert [letter["offset"] for letter in ada["dead_letters"]] == [0]


async def test_what_an_operator_did_to_it_is_part_of_its_story(world: World) -> None:
    await play(world, True, a_document_event(id=NOTES, owner=NOBODY))
    await told(world, "parked", "discard", str(NOTES), "--execute")
    story = await told(world, "explain", str(NOTES), exit_status=1)
    assert [one["what"] for one in story["timeline"]] == ["document.created version 1", "parked discard"]
    assert "is gone without an event" in story["conclusion"]


async def said(world: World, entity_id: UUID, seconds: float = 30, **other: str) -> str:
    settings = load_settings(world.settings | other)
    engine = create_service_engine(settings)
    try:
        conclusion: str = (await explain(engine, REGISTRY, settings, entity_id, seconds))["conclusion"]
    finally:
        await engine.dispose()
    return conclusion
