"""How a reader runs, written once for async and sync: it is a plan, and one of two shells executes its statements.

A plan is a generator. It yields a statement and is sent its rows, or yields a `Pause` and is sent nothing. What it
returns is the answer.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Engine, Executable
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

T = TypeVar("T")
P = ParamSpec("P")


class Pause(NamedTuple):
    """So long nothing is asked."""

    seconds: float


Plan = Generator[Executable | Pause, Sequence[Any] | None, T]


def asynchronous(plan: Callable[P, Plan[T]]) -> Callable[Concatenate[AsyncSession, P], Coroutine[Any, Any, T]]:
    """The reader for async sessions, SQLAlchemy's and SQLModel's."""

    @wraps(plan)
    async def read(session: AsyncSession, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await run(session, plan(*args, **kwargs))

    return read


def synchronous(plan: Callable[P, Plan[T]]) -> Callable[Concatenate[Session, P], T]:
    """The reader for sessions, SQLAlchemy's and SQLModel's."""

    @wraps(plan)
    def read(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run_sync(session, plan(*args, **kwargs))

    return read


async def run(place: AsyncSession | AsyncEngine, plan: Plan[T]) -> T:
    """The plan's answer. On an engine each statement has a transaction of its own."""
    rows: Sequence[Any] | None = None
    try:
        while True:
            step = plan.send(rows)
            if isinstance(step, Pause):
                rows = None
                await asyncio.sleep(step.seconds)
            elif isinstance(place, AsyncEngine):
                async with place.connect() as connection:
                    rows = (await connection.execute(step)).all()
            else:
                rows = (await _execute_of(place)(step)).all()
    except StopIteration as done:
        answer: T = done.value
        return answer


def run_sync(place: Session | Engine, plan: Plan[T]) -> T:
    """As `run`, for a synchronous session or engine."""
    rows: Sequence[Any] | None = None
    try:
        while True:
            step = plan.send(rows)
            if isinstance(step, Pause):
                rows = None
                time.sleep(step.seconds)
            elif isinstance(place, Engine):
                with place.connect() as connection:
                    rows = connection.execute(step).all()
            else:
                rows = _execute_of(place)(step).all()
    except StopIteration as done:
        answer: T = done.value
        return answer


def _execute_of(session: AsyncSession | Session) -> Any:
    """SQLModel's sessions warn of their `execute`. Their `exec` does the same with statements of SQLAlchemy."""
    return getattr(session, "exec", session.execute)
