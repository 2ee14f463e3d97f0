"""Where long work of tests counts numbers."""

import asyncio
import os
from typing import Any

from tests.support import long_work
from tests.support.forked import Forked
from tests.support.long_work import engine_of
from tests.support.servers import fetched

LEFT = """
    SELECT (SELECT count(*) FROM pg_class WHERE relname ~ '^operation_' AND relkind = 'r')
        + (SELECT count(*) FROM projector.offsets)"""
"""Tables and positions of operations that are there still."""


class Place:
    """A database where numbers are counted."""

    def __init__(self, url: str) -> None:
        self.url, self.engine = url, engine_of(url)

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        return await fetched(self.url, query, *arguments)

    async def value(self, query: str, *arguments: Any) -> Any:
        return next(iter((await self.rows(query, *arguments))[0].values()))

    async def counted(self) -> list[int]:
        return [row["n"] for row in await self.rows("SELECT n FROM steps ORDER BY n")]

    async def row(self) -> dict[str, Any]:
        return (await self.rows("SELECT * FROM projector.operations ORDER BY id DESC LIMIT 1"))[0]

    async def until(self, query: str, expected: Any) -> None:
        async with asyncio.timeout(30):
            while await self.value(query) != expected:
                await asyncio.sleep(0.01)

    def begin(self, *words: object) -> Forked:
        arguments = [long_work.__file__, self.url, *map(str, words)]
        return Forked(f"{long_work.__name__}:main", arguments, os.environ)
