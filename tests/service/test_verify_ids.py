"""`verify --id` compares an entity with what hangs on it, and takes of all others only what these name."""

from uuid import UUID

import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.admin.verify import snapshot
from neon_projector.consumer.admin.verify.source import Tell
from neon_projector.consumer.admin.verify.verify import verify
from neon_projector.consumer.admin.verify.wanted import Wanted
from neon_projector.consumer.environment import load_settings
from neon_projector.projections.registry import REGISTRY
from tests.operate.commands import told
from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.support.factories import a_document_event, a_user_event
from tests.support.long_work import engine_of
from tests.support.world import World

BOB, PLANS, DRAFT, OTHER = (UUID(int=number) for number in (4, 5, 6, 7))
ABSENT = "projector.absent_states"
ANOTHER = """
    INSERT INTO documents SELECT $1, title, content, user_id, created_at, updated_at, version
    FROM documents WHERE id = $2"""
HISTORY = [
    a_user_event(id=ADA, email="one@example.com"),
    a_user_event(id=EVE, email="one@example.com"),  # contested
    a_user_event(id=BOB),
    a_document_event(id=NOTES, owner=ADA),
    a_document_event("updated", NOTES, 2, title="names no owner"),
    a_document_event(id=PLANS, owner=EVE),  # waits with her
    a_document_event(id=DRAFT, owner=ADA),
    a_document_event("ownership_transferred", DRAFT, 2, from_user_id=ADA, to_user_id=BOB),
]


Found = set[tuple[str, UUID, str]]


async def finds(world: World, expected: Found, one: UUID, *more: str) -> None:
    report = await told(world, "verify", "--id", str(one), *more, exit_status=1 if expected else 0)
    assert {(d["table"], UUID(d["id"]), d["kind"]) for d in report["differences"]} == expected


async def test_what_hangs_on_it_is_compared_also_where_only_the_topics_know_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await play(world, False, *HISTORY)
    for one in (ADA, EVE, BOB, NOTES, PLANS, DRAFT):
        await finds(world, set(), one)
    await what_is_read_last_may_name_somebody_else(world, monkeypatch)

    await world.rows("UPDATE documents SET title = 'forged' WHERE id = $1", DRAFT)
    forged = {("documents", DRAFT, "different")}
    await world.rows(ANOTHER, OTHER, DRAFT)  # which no topic knows
    await finds(world, {("documents", OTHER, "unexpected")} | forged, BOB)
    await finds(world, set(), BOB, "--entity", "user")
    await world.rows(f"UPDATE {ABSENT} SET reason = 'deleted', waiting_for = NULL WHERE id = $1", PLANS)
    await finds(world, {(ABSENT, PLANS, "different")}, EVE)
    await world.rows("DELETE FROM users WHERE id = $1", ADA)  # takes her documents with her
    await finds(world, {("users", ADA, "missing"), ("documents", NOTES, "missing")} | forged, ADA)


async def what_is_read_last_may_name_somebody_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Than what was read before the copy: then it is copied once more."""
    take, copied = snapshot.take, []

    async def counted(*arguments: object) -> None:
        copied.append(arguments)
        await take(*arguments)  # type: ignore[arg-type]  # whatever it takes

    async def nothing_was_read(*_: object) -> dict[TopicPartition, int]:
        return {TopicPartition(topic, 0): 0 for topic in (world.users, world.documents)}

    engine = engine_of(world.database_url)
    with monkeypatch.context() as patched:
        patched.setattr(snapshot, "take", counted)
        patched.setattr(snapshot, "positions_now", nothing_was_read)
        report = await verify(engine, load_settings(world.settings), REGISTRY, Wanted(ids=(DRAFT, EVE)), Tell())
    await engine.dispose()
    assert (report.verdict, report.rows, report.open["contested"]) == ("equal", {"users": 0, "documents": 1}, 1)
    assert len(copied) == 2
