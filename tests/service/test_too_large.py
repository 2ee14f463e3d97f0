"""A batch that is too much for the database is divided, and not tried again for ever."""

import asyncio

from neon_projector.consumer.errors import BadData
from neon_projector.consumer.recovery.table import known
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import eventually, running_projector
from tests.support.world import World

SLOW = (
    "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$",
    "CREATE TRIGGER slow BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION slow()",
)
DOCUMENTS = 90


async def test_a_batch_that_takes_longer_than_a_statement_may_is_divided(world: World) -> None:
    """An application's trigger takes 20 ms a row: 1.8 s in all, where a statement may take 1 s."""
    for statement in SLOW:
        await world.rows(statement)
    await world.create_topics()
    owner = a_user_event()
    records = [a_record(a_document_event(owner=owner["data"]["id"])) for _ in range(DOCUMENTS)]
    with running_projector(world.settings | {"DB_STATEMENT_TIMEOUT": "1"}) as projector:
        eventually("it has joined", lambda: projector.get("/health/ready")[0] == 200)
        async with world.locked("users"):
            await world.publish([a_record(owner)])
            await asyncio.sleep(0.3)
            await world.publish(records)
            await asyncio.sleep(0.5)  # they come together
        await world.until_consumed(DOCUMENTS + 1)
        assert projector.terminate() == 0
    assert await world.value("SELECT count(*)::int FROM documents") == DOCUMENTS
    assert (await world.totals())["applied"] == DOCUMENTS + 1


def test_what_postgres_cant_hold_in_memory_is_looked_for_by_splitting() -> None:
    row = known("XX000", "invalid memory alloc request size 1073741824")
    assert row is not None
    assert row.kind is BadData
