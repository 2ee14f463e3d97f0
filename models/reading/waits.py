"""The shells of readers that wait: an engine has a transaction for each question, a session asks in its own."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from neon_projector.models.document import Document
from neon_projector.models.reading.patience import seeing_new
from neon_projector.models.reading.steps import Plan, run, run_sync
from neon_projector.models.user import User

T = TypeVar("T")
P = ParamSpec("P")


def waiting(
    plan: Callable[P, Plan[T]],
) -> Callable[Concatenate[AsyncSession | AsyncEngine, P], Coroutine[Any, Any, T]]:
    """The reader for async engines and sessions."""

    @wraps(plan)
    async def wait(place: AsyncSession | AsyncEngine, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if isinstance(place, AsyncEngine):
            return await run(place, plan(*args, **kwargs))
        answer = await run(place, seeing_new(plan(*args, **kwargs)))
        _let_go(place.sync_session)
        return answer

    return wait


def waiting_sync(plan: Callable[P, Plan[T]]) -> Callable[Concatenate[Session | Engine, P], T]:
    """The reader for synchronous engines and sessions."""

    @wraps(plan)
    def wait(place: Session | Engine, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if isinstance(place, Engine):
            return run_sync(place, plan(*args, **kwargs))
        answer = run_sync(place, seeing_new(plan(*args, **kwargs)))
        _let_go(place)
        return answer

    return wait


def _let_go(session: Session) -> None:
    """Let the unchanged users and documents leave the session, so that what it reads next is new. Who holds one still
    reads what it was; expired, it would be an error in an async session."""
    for one in list(session.identity_map.values()):
        if isinstance(one, (User, Document)) and one not in session.deleted and not session.is_modified(one):
            session.expunge(one)
