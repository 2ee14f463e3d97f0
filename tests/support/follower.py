"""A follower of the tables as an application writes one: a copy in SQLite, which it keeps together with its cursor.

`python -m tests.support.follower DATABASE_URL FILE` goes on until it is killed, and then goes on from where it was.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from neon_projector.models import Document, User
from neon_projector.models.engine import create_engine
from neon_projector.models.reading import CursorLost, changed_since, start_cursor
from neon_projector.models.session import session_factory
from neon_projector.models.settings import ReaderSettings

PAUSE_SECONDS = 0.02
TABLES = """
    CREATE TABLE IF NOT EXISTS place (cursor TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS shown (entity TEXT, id TEXT, version INTEGER, said TEXT, PRIMARY KEY (entity, id));
    CREATE TABLE IF NOT EXISTS pages (number INTEGER PRIMARY KEY)"""

Shown = dict[tuple[str, str], tuple[int, str]]


class Copy:
    """What the follower knows. Each page and its cursor are one transaction."""

    def __init__(self, file: str) -> None:
        self._file = sqlite3.connect(file, timeout=30, check_same_thread=False)
        self._file.executescript(TABLES)

    @property
    def cursor(self) -> str | None:
        found = self._file.execute("SELECT cursor FROM place").fetchone()
        return found and str(found[0])

    @property
    def pages(self) -> int:
        """How many changes of it are committed."""
        return int(self._file.execute("SELECT count(*) FROM pages").fetchone()[0])

    @property
    def shown(self) -> Shown:
        return {
            (entity, one): (version, said) for entity, one, version, said in self._file.execute("SELECT * FROM shown")
        }

    def begin(self, cursor: str, rows: Sequence[User | Document]) -> None:
        """Forget all, and begin with these rows."""
        with self._file:
            self._file.execute("DELETE FROM shown")
            self._keep(cursor, rows, [])

    def follow(self, cursor: str, rows: Sequence[User | Document], gone: Sequence[tuple[str, UUID]]) -> None:
        with self._file:
            self._keep(cursor, rows, gone)

    def _keep(self, cursor: str, rows: Sequence[User | Document], gone: Sequence[tuple[str, UUID]]) -> None:
        self._file.executemany("DELETE FROM shown WHERE entity = ? AND id = ?", [(e, str(one)) for e, one in gone])
        values = [(str(row.__tablename__), str(row.id), row.version, said(row)) for row in rows]
        self._file.executemany("INSERT OR REPLACE INTO shown VALUES (?, ?, ?, ?)", values)
        self._file.execute("DELETE FROM place")
        self._file.execute("INSERT INTO place VALUES (?)", (cursor,))
        self._file.execute("INSERT INTO pages DEFAULT VALUES")

    def close(self) -> None:
        self._file.close()


def said(row: User | Document) -> str:
    return f"{row.email} {row.name} {row.is_active}" if isinstance(row, User) else f"{row.title} {row.user_id}"


async def begin(sessions: async_sessionmaker[AsyncSession], copy: Copy) -> None:
    """The first copy: first the cursor, then the rows, in transactions of their own."""
    async with sessions() as session:
        cursor = await start_cursor(session)
    rows: list[User | Document] = []
    async with sessions() as session:
        rows += (await session.execute(select(User))).scalars()
        rows += (await session.execute(select(Document))).scalars()
    copy.begin(cursor, rows)


async def step(sessions: async_sessionmaker[AsyncSession], copy: Copy) -> bool:
    """One page; whether there is more already."""
    if (cursor := copy.cursor) is None:
        await begin(sessions, copy)
        return True
    async with sessions() as session:
        try:
            changes = await changed_since(session, cursor)
        except CursorLost:
            await begin(sessions, copy)
            return True
        users, documents = changes.of(User), changes.of(Document)
        gone = [*(("users", one) for one in users.gone), *(("documents", one) for one in documents.gone)]
        if changes.cursor != cursor:
            copy.follow(changes.cursor, [*users.rows, *documents.rows], gone)
    return changes.more


async def follow(url: str, file: str) -> None:
    engine = create_engine(ReaderSettings(neon_database_url=SecretStr(url)))
    sessions = session_factory(engine)
    with closing(Copy(file)) as copy:
        while True:
            if not await step(sessions, copy):
                await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(follow(*sys.argv[1:]))
