"""One question to the database, asked by a command."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from consumer.settings import load_settings
from models.engine import create_engine

T = TypeVar("T")


def ask(question: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """The answer; the engine is made for it and disposed of after."""

    async def asked() -> T:
        engine = create_engine(load_settings())
        try:
            return await question(engine)
        finally:
            await engine.dispose()

    return asyncio.run(asked())
