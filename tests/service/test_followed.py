"""A follower beside a drain by four flights: killed and resumed at random, its copy ends as the tables are."""

import asyncio
import random
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import asyncpg

from tests.models.test_following import tables
from tests.operate.commands import told
from tests.oracle.upstream import Upstream
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.follower import Copy
from tests.support.projector import environment, eventually, running_projector
from tests.support.world import World

KILLS = 3
SETTINGS = {"BATCHES_AT_ONCE": "4", "BATCH_MAX_EVENTS": "25"}


def a_follower(world: World, file: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.support.follower", world.database_url, str(file)]
    return subprocess.Popen(command, env=environment(world.settings), cwd=Path(__file__).parents[2])


async def test_a_follower_that_is_killed_again_and_again_ends_with_the_tables(world: World, tmp_path: Path) -> None:
    """The history has hidden documents that come back, and deletions; then rows are harmed by hand and rebuilt."""
    rng, file = random.Random(3), tmp_path / "copy"
    await world.create_topics(partitions=4)
    await told(world, "changes", "enable")
    events = Upstream(rng).live(500, comments=False)
    for _ in range(200):
        user = a_user_event()
        events += [user, a_document_event(owner=user["data"]["id"])]
    copy = Copy(str(file))
    with closing(copy), running_projector(world.settings | SETTINGS) as projector:
        for portion in range(KILLS):
            seen, follower = copy.pages, a_follower(world, file)
            await world.publish([a_record(event) for event in events[portion::KILLS]])
            await asyncio.to_thread(eventually, "a page", lambda seen=seen: copy.pages > seen, 60)
            await asyncio.sleep(rng.uniform(0, 0.3))  # anywhere in the next pages
            follower.kill()
            follower.wait()
        await world.until_consumed(len(events), 60)
        assert projector.terminate() == 0
        follower = a_follower(world, file)
        try:
            await ends_with_the_tables(world, copy)
            await world.rows(
                "UPDATE users SET name = 'Harmed', version = 0 WHERE id IN (SELECT user_id FROM documents)"
            )
            await world.rows("DELETE FROM documents WHERE title = 'Notes'")
            assert (await told(world, "rebuild", "--execute", "--yes"))["healed"] > 0
            await ends_with_the_tables(world, copy)
        finally:
            follower.kill()
            follower.wait()


async def ends_with_the_tables(world: World, copy: Copy) -> None:
    connection = await asyncpg.connect(world.database_url)
    there = await tables(connection)
    await connection.close()
    assert there
    await asyncio.to_thread(eventually, "the copy is as the tables", lambda: copy.shown == there, 60)
