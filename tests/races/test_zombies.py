"""Promise 5.1: whoever claims a partition later has it; what an earlier claim's holder writes changes nothing."""

import asyncpg
import pytest

from consumer.errors import Fenced
from tests.races.stepping import Writer
from tests.support.factories import a_user_event


async def test_promise_5_1_a_zombie_changes_nothing_even_where_the_position_is_the_one_it_knew(database: str) -> None:
    zombie, heir = Writer(database, 0), Writer(database, 0)
    of_old = await zombie.batch([a_user_event()])
    await heir.batch([])  # the same position, a higher epoch
    with pytest.raises(Fenced):
        await zombie.write(of_old)
    await heir.write(await heir.batch([a_user_event(), a_user_event()]))
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT count(*) FROM users") == 2
    assert await connection.fetchval("SELECT next_offset FROM projector.offsets") == 2
    await connection.close()
    for writer in (zombie, heir):
        await writer.engine.dispose()
