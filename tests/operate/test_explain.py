"""The conclusion follows what an entity waits for to its end."""

from uuid import UUID

from neon_projector.consumer.admin.explain import explain
from neon_projector.consumer.environment import load_settings
from neon_projector.models.engine import create_service_engine
from neon_projector.projections.registry import REGISTRY
from tests.operate.commands import told
from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.support.factories import a_document_event, a_user_event
from tests.support.world import World

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
    assert await said(world, NOTES) == (
        f"it waits for {EVE} (version 1); of {EVE}: it waits for a unique value that {ADA} has"
    )
    assert await said(world, PLANS) == f"it waits for {NOBODY} (version 1); no event of user {NOBODY} has come"
    assert await said(world, DRAFT) == f"it waits for {BOB} (version 1); of user {BOB} only later changes have come"
    assert await said(world, EVE) == f"it waits for a unique value that {ADA} has (version 1)"


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
        "2 later changes wait for version 1, 2, 4, or for a complete event "
        "(of its records, 1 rejected: these may be what is missing)"
    )
    assert await said(world, EVE) == "it is deleted (version 7)"
    assert await said(world, NOBODY) == "nothing is known of it"


async def test_what_was_deleted_by_hand_is_not_the_publishers_fault(world: World) -> None:
    history = [a_user_event(id=ADA), a_user_event("updated", ADA, 2, name="two"), a_document_event(id=NOTES, owner=ADA)]
    await play(world, False, *history, a_user_event(id=EVE), a_user_event("deleted", EVE, 2))
    await world.rows("DELETE FROM users")
    await world.rows("DELETE FROM projector.absent_states")
    assert await said(world, ADA) == (
        f"its user was written up to version 2 ({world.users}:0 offset 1), and is gone without an event: deleted by "
        "hand, by another program, or with the one it belongs to. "
        f"To bring it back: projector offsets reset --topic {world.users}:0 --to-offset 0"
    )
    assert "its document was written up to version 1" in await said(world, NOTES)
    assert "which deletes it; the service's note of that was removed" in await said(world, EVE)
    assert await said(world, NOBODY) == "nothing is known of it"
    later = (a_document_event(id=PLANS, owner=ADA), a_user_event("updated", ADA, 4, name="four"))
    await play(world, True, *later, create=False)
    assert f"of {ADA}: its user was written up to version 2" in await said(world, PLANS)
    waits = "1 later change waits for version 1, 2, 3, or for a complete event; its user was written up to version 2"
    assert waits in await said(world, ADA)
    await told(world, "offsets", "reset", "--topic", f"{world.users}:0", "--to-offset", "0", "--execute", "--yes")
    await play(world, True, a_user_event(id=BOB), create=False)
    assert (await said(world, ADA)).startswith("it is there, as user of version 2; 1 later change waits for version 3,")


async def test_where_the_topics_are_not_read_nobody_is_blamed(world: World) -> None:
    await play(world, True, a_user_event(id=ADA), a_document_event(id=NOTES, owner=NOBODY))
    assert (await said(world, EVE, seconds=0)).endswith("by another program (the topics were not read)")
    for one in (EVE, NOTES):
        unread = await said(world, one, seconds=1, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
        assert "or its row was deleted by hand or by another program (" in unread
    assert await said(world, EVE) == "nothing is known of it"
    assert f"no event of user {NOBODY} has come" in await said(world, NOTES)


async def said(world: World, entity_id: UUID, seconds: float = 30, **other: str) -> str:
    settings = load_settings(world.settings | other)
    engine = create_service_engine(settings)
    try:
        conclusion: str = (await explain(engine, REGISTRY, settings, entity_id, seconds))["conclusion"]
    finally:
        await engine.dispose()
    return conclusion
