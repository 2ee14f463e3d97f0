"""Writers at once: transactions that commit in another order than they began, roll back, delete, create again."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from tests.outbox.source import Changes, backfill

IDS = {
    table: [UUID(int=number << 64 | kind) for number in range(60)] for kind, table in enumerate(("users", "documents"))
}
"""What is created, deleted and created again."""
CONTENTS = (None, "", "größer 😀", 'quote " and \\', "line\nbreak", "{}", "[1]", "null", "1e3", "x" * 5000)
REFUSED = (
    asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError,
    asyncpg.DeadlockDetectedError, asyncpg.SerializationError,
)  # fmt: skip
"""What ends a transaction now and then; its changes, numbers and events are rolled back together."""
WRITERS = 4


class ChangedItsMind(Exception):
    """Roll back."""


class Writer:
    def __init__(self, database: Any, chance: random.Random) -> None:
        self.database, self.chance, self.changes = database, chance, Changes(database)

    async def transaction(self) -> None:
        """One to three changes, and some time before COMMIT in which others commit."""
        kinds = (
            self.create_user, self.create_user, self.replace_user, self.rename_user, self.delete_user,
            self.create_document, self.create_document, self.create_document, self.rewrite, self.transfer,
            self.delete_document,
        )  # fmt: skip
        try:
            async with self.database.transaction():
                for kind in self.chance.choices(kinds, k=self.chance.randint(1, 3)):
                    await kind()
                await asyncio.sleep(self.chance.random() ** 6 / 5)
                if self.chance.random() < 0.1:
                    raise ChangedItsMind
        except (ChangedItsMind, *REFUSED):
            pass

    async def create_user(self) -> None:
        await self.changes.create("users", id=self.chance.choice(IDS["users"]), email=self.email(), name="new")

    async def replace_user(self) -> None:
        if user := await self.some("users"):
            await self.changes.replace("users", user["id"], email=self.email(), is_active=self.chance.random() < 0.5)

    async def rename_user(self) -> None:
        if user := await self.some("users"):
            await self.changes.change("users", user["id"], name=f"name {self.chance.random()}")

    async def delete_user(self) -> None:
        """With the documents, each with an event of its own."""
        if user := await self.some("users"):
            for document in await self.database.fetch("SELECT id FROM documents WHERE user_id = $1", user["id"]):
                await self.changes.delete("documents", document["id"])
            await self.changes.delete("users", user["id"])

    async def create_document(self) -> None:
        if owner := await self.some("users", "FOR KEY SHARE"):
            new = {"id": self.chance.choice(IDS["documents"]), "user_id": owner["id"]}
            await self.changes.create("documents", **new, title="new", content=self.chance.choice(CONTENTS))

    async def rewrite(self) -> None:
        if document := await self.some("documents"):
            await self.changes.change("documents", document["id"], content=self.chance.choice(CONTENTS))

    async def transfer(self) -> None:
        owner = await self.some("users", "FOR KEY SHARE")
        document = await self.some("documents")
        if owner and document:
            await self.changes.transfer(document["id"], document["user_id"], owner["id"])

    async def delete_document(self) -> None:
        if document := await self.some("documents"):
            await self.changes.delete("documents", document["id"])

    async def some(self, table: str, lock: str = "FOR UPDATE") -> Any:
        """Any row, locked: what is read of it here is so until COMMIT."""
        return await self.database.fetchrow(
            f"SELECT * FROM {table} ORDER BY md5(id::text || $1) LIMIT 1 {lock}", str(self.chance.random())
        )

    def email(self) -> str:
        return f"user{self.chance.randint(1, 200)}@example.com"


@asynccontextmanager
async def writing(url: str, seed: int, transactions: int) -> AsyncIterator[None]:
    """Within, WRITERS write, the backfill beside them; at the end they go on to so many transactions in all."""
    writers = _Writers(url, random.Random(seed), transactions)
    task = asyncio.create_task(writers.write())
    try:
        yield
        writers.enough = True
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass
class _Writers:
    url: str
    chance: random.Random
    least: int
    done: int = 0
    enough: bool = False

    async def write(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(WRITERS):
                group.create_task(self._write(random.Random(self.chance.getrandbits(32))))

    async def _write(self, chance: random.Random) -> None:
        database = await asyncpg.connect(self.url)
        try:
            writer = Writer(database, chance)
            while not self.enough or self.done < self.least:
                self.done += 1
                if self.done == self.least // 3:
                    await backfill(self.url)
                await writer.transaction()
                if self.done > self.least:
                    await asyncio.sleep(0.1)  # what is still to come is to wait for others: no need to hurry
        finally:
            await database.close()
