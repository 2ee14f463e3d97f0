"""An application has its own `User`, `users` and all the rest beside ours, and nothing of its own changes."""

import asyncio
import subprocess
import sys

import pytest

from tests.support.documents import ROOT
from tests.support.servers import execute
from tests.test_migrations import fetched


@pytest.mark.parametrize("first", ["ours", "theirs"])
async def test_classes_and_tables_of_the_same_names_live_side_by_side(database: str, first: str) -> None:
    await execute(database, "CREATE SCHEMA theirs")
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.models.namesakes", database, first],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    made = await fetched(
        database, "SELECT conname::text FROM pg_constraint WHERE connamespace = 'theirs'::regnamespace"
    )
    names = {name for (name,) in made}
    assert {"users_pkey", "users_name_key", "documents_user_id_fkey"} <= names
    assert not {name for name in names if name.startswith(("pk_", "uq_", "fk_"))}
