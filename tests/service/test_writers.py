"""Whoever writes a state, and whichever way it takes to its table, the same is stored: extreme times, texts, NULL."""

from typing import Any
from uuid import UUID

import pytest

from neon_projector.models import Document
from neon_projector.models.engine import create_engine
from neon_projector.models.session import session_factory, transaction
from neon_projector.models.settings import DatabaseSettings
from neon_projector.projections.contract.fields import parse_time
from tests.operate.commands import RETRY, told
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
EVERY_PLANE = "".join(map(chr, (*range(1, 0x3000), 0xFFFD, 0x1F600, 0x10FFFF))) + '\\ \\u0000 "{}[]'
ADA, EVE, BOB, CID = (UUID(int=number) for number in range(1, 5))
AT_ONCE, PARKED, HIDDEN, CHANGED, DRAINED, MOVED, RETRIED, OURS = (UUID(int=number) for number in range(11, 19))
HOSTILE = "SET timezone = 'America/St_Johns'", "SET datestyle = 'German'", "SET intervalstyle = 'sql_standard'"


@pytest.mark.parametrize("content", [EVERY_PLANE, "", None], ids=["every plane", "empty", "null"])
async def test_every_writer_stores_the_same(world: World, content: str | None) -> None:
    """At once, parked, hidden, by partial events, by a retry, by an application with our own models."""
    name = world.database_url.rpartition("/")[2]
    for default in HOSTILE:
        await world.rows(f'ALTER DATABASE "{name}" {default}')
    await world.rows(f"ALTER TABLE documents ADD CONSTRAINT not_yet CHECK (id <> '{RETRIED}')")
    await world.create_topics()
    whole: dict[str, Any] = {"title": "T\u00ef", "content": content, "created_at": FIRST, "updated_at": LAST}
    other: dict[str, Any] = {"title": "?", "content": "?", "created_at": FIRST}
    with running_projector(world.settings) as projector:
        await world.publish([a_record(a_user_event(id=user)) for user in (ADA, BOB, CID)])
        await world.until("SELECT count(*)::int FROM users", 3)
        of_ada = [a_document_event(id=i, owner=ADA, **whole) for i in (AT_ONCE, RETRIED)]
        partly = [
            a_document_event(id=CHANGED, owner=ADA, **other),
            a_document_event("updated", CHANGED, 2, **{k: v for k, v in whole.items() if k != "created_at"}),
            a_document_event("updated", DRAINED, 2, **{k: v for k, v in whole.items() if k != "created_at"}),
        ]
        away = [a_document_event(id=PARKED, owner=EVE, **whole), a_document_event(id=HIDDEN, owner=BOB, **whole)]
        moved = a_document_event(id=MOVED, owner=CID, **whole)
        await world.publish([a_record(event) for event in (*of_ada, *partly, *away, moved)])
        await world.until_consumed(3 + 8)
        await world.publish([a_record(a_user_event("deleted", user, 2)) for user in (BOB, CID)])
        await world.until("SELECT count(*)::int FROM projector.absent_states WHERE entity = 'document'", 3)
        await world.publish([a_record(event) for event in (a_user_event(id=EVE), a_user_event(id=BOB, version=3))])
        data: dict[str, Any] = {"from_user_id": CID, "to_user_id": ADA, "updated_at": LAST}
        last = a_document_event("ownership_transferred", MOVED, 2, **data)
        base = a_document_event(id=DRAINED, owner=ADA, **other)
        await world.publish([a_record(event) for event in (last, base)])
        await world.until_consumed(3 + 8 + 6)
        assert projector.terminate() == 0
    await world.rows("ALTER TABLE documents DROP CONSTRAINT not_yet")
    assert (await told(world, *RETRY, "--all", "--execute"))["resolved"] == 1
    await _by_our_models(world, content)
    columns = "title, content, created_at::text, updated_at::text, to_jsonb(created_at)::text"
    found = await world.rows(f"SELECT id, {columns} FROM documents ORDER BY id")
    assert [row.pop("id") for row in found] == [AT_ONCE, PARKED, HIDDEN, CHANGED, DRAINED, MOVED, RETRIED, OURS]
    assert found == [found[0]] * 8
    assert (found[0]["content"], "infinity" in str(found)) == (content, False)


async def _by_our_models(world: World, content: str | None) -> None:
    engine = create_engine(DatabaseSettings.model_validate({"neon_database_url": world.database_url}))
    times: dict[str, Any] = {"created_at": parse_time(FIRST), "updated_at": parse_time(LAST)}
    async with transaction(session_factory(engine, writable=True)) as session:
        session.add(Document(id=OURS, title="T\u00ef", content=content, user_id=ADA, version=1, **times))
    await engine.dispose()
