"""`rebuild` killed at ten random places goes on from there; everything is healed, and all of it can be undone."""

import asyncio
import random
import shutil
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.operate.commands import told
from tests.service.test_meaning import ADA, play
from tests.support.factories import a_document_event, a_user_event
from tests.support.projector import start
from tests.support.world import World

NUMBER = 1_100
CHANGED = 500
"""So many are forged, and as many deleted: more than ten runs can heal before they are killed, by portions of 50."""
ELSEWHERE = 3
"""After so many runs it goes on where what was read is not there, as in a new container."""
INTERRUPTED = 6
"""Of the ten runs this one gets Ctrl-C, and ends by itself."""
LEFT = "SELECT count(*)::int FROM pg_class WHERE relname LIKE 'operation\\_%'"
WRONG = f"SELECT {NUMBER} - count(*)::int FROM documents WHERE title = 'Notes'"
DOCUMENTS = "SELECT * FROM documents ORDER BY id"


async def test_killed_at_ten_random_places_it_ends_right(world: World, tmp_path: Path) -> None:
    chance = random.Random(20)
    owned = [a_document_event(id=UUID(int=100 + n), owner=ADA) for n in range(NUMBER)]
    await play(world, False, a_user_event(id=ADA), *owned)
    before = await world.rows(DOCUMENTS)
    some = f"SELECT id FROM documents ORDER BY id LIMIT {CHANGED}"
    await world.rows(f"UPDATE documents SET title = 'forged' WHERE id IN ({some})")
    await world.rows(f"DELETE FROM documents WHERE id IN ({some.replace('id LIMIT', 'id DESC LIMIT')})")
    tampered = await world.rows(DOCUMENTS)
    (tmp_path / "work").mkdir()
    settings = world.settings | {"TMPDIR": str(tmp_path / "work")}
    words: tuple[Any, ...] = ("rebuild", "--execute", "--max-rate", "300", "--undo", str(tmp_path / "undo"))
    for number in range(10):
        runner = start(*words, settings=settings)
        if number == 0:
            await world.until("SELECT count(*)::int FROM projector.operations", 1)
        else:
            wrong = await world.value(WRONG)
            await world.until(f"SELECT ({WRONG}) <= {max(wrong - chance.randrange(15), 0)}", True)
        await asyncio.sleep(chance.random() / 10)  # any place within a portion
        how, status = (signal.SIGINT, 130) if number == INTERRUPTED else (signal.SIGKILL, -signal.SIGKILL)
        runner.send_signal(how)
        assert await asyncio.to_thread(runner.wait, 60) == status
        if number == ELSEWHERE:
            shutil.rmtree(tmp_path / "work")
            (tmp_path / "work").mkdir()
        if number == INTERRUPTED:
            assert await world.value("SELECT state FROM projector.operations") == "paused"
        words = ("operations", "resume", "1")
    assert 0 < await world.value(WRONG) < 2 * CHANGED, "it was killed before its beginning, or at its end"
    runner = start(*words, settings=settings)
    assert await asyncio.to_thread(runner.wait, 60) == 0
    (row,) = await world.rows("SELECT state, outcome, after ->> 'healed' FROM projector.operations")
    assert tuple(row.values()) == ("completed", "equal", str(2 * CHANGED))
    assert await world.rows(DOCUMENTS) == before
    assert (await world.value(LEFT), list((tmp_path / "work").iterdir())) == (0, [])
    back = await told(world, "undo", str(tmp_path / "undo"), "--execute")
    assert (back["put_back"], back["moved"]) == (2 * CHANGED, 0)
    assert await world.rows(DOCUMENTS) == tampered
