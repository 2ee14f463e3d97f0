"""Promise 5.1: whoever claims a partition later has it; what an earlier claim's holder writes changes nothing."""

import asyncpg
import pytest
from sqlalchemy import event

from neon_projector.consumer.errors import Fenced
from tests.races.stepping import Writer
from tests.support.factories import a_user_event


async def test_promise_5_1_a_zombie_changes_nothing_even_where_the_position_is_the_one_it_knew(database: str) -> None:
    zombie, heir = Writer(database, 0), Writer(database, 0)
    of_old = await zombie.batch([a_user_event()])
    await heir.batch([])  # the same position, a higher epoch
    with pytest.raises(Fenced):
        await zombie.write(of_old)
    assert zombie.heard.answers == 1, "an outage before that is over, also where the zombie is given no more to write"
    await heir.write(await heir.batch([a_user_event(), a_user_event()]))
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT count(*) FROM users") == 2
    assert await connection.fetchval("SELECT next_offset FROM projector.offsets") == 2
    await connection.close()
    for writer in (zombie, heir):
        await writer.engine.dispose()


async def test_promise_5_3_a_bad_record_among_5000_is_found_in_few_transactions(database: str) -> None:
    writer = Writer(database, 0)
    connection = await asyncpg.connect(database)
    await connection.execute("ALTER TABLE users ADD CONSTRAINT no_mallory CHECK (name <> 'Mallory')")
    events = [a_user_event(name="Mallory" if n == 3_333 else "Ada") for n in range(5_000)]
    transactions: list[str] = []
    event.listen(writer.engine.sync_engine, "begin", lambda _: transactions.append("begin"))
    await writer.write(await writer.batch(events))
    assert await connection.fetchval("SELECT count(*) FROM users") == 4_999
    assert await connection.fetchval('SELECT "offset" FROM projector.dead_letters') == 3_333
    assert len(transactions) <= 2 * 13 + 4, "13 is the logarithm of 5,000"
    await connection.close()
    await writer.engine.dispose()
