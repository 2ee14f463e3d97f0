"""The conclusion follows what an entity waits for to its end."""

from uuid import UUID

from consumer.operate.explain import explain
from consumer.settings import load_settings
from models.engine import create_service_engine
from projections.registry import REGISTRY
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


async def said(world: World, entity_id: UUID) -> str:
    engine = create_service_engine(load_settings(world.settings))
    try:
        conclusion: str = (await explain(engine, REGISTRY, entity_id))["conclusion"]
    finally:
        await engine.dispose()
    return conclusion
