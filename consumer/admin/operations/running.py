"""Runs long work from its first step to its end, whatever that end is; gives signs of life meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations import left_behind
from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.errors import Cancelled, DiskFull, Paused, ProjectorError, Refused, TakenOver

LIFE_SECONDS = 2.0
"""How often a runner gives a sign of life, and sees whether it was cancelled."""
END_SECONDS = 5.0
"""So long may it take to write down that the work was interrupted; else it shows no sign of life, and is resumed all
the same."""


@asynccontextmanager
async def running(
    engine: AsyncEngine,
    command: str,
    *,
    filter: Mapping[str, Any] | None = None,  # noqa: A002  the column's name
    ranges: Mapping[str, list[int]] | None = None,
    total: int | None = None,
    resume: int | None = None,
) -> AsyncIterator[Operation]:
    """Within, the operation runs: a new one, or `resume` (then filter, ranges and total are those of its beginning).

    Left without an error it is `completed`. Cancelled by Ctrl-C or SIGTERM it is `paused`, and the error is Paused
    (exit status 130). Any other error makes it `failed`; that error goes on, with a note of how to resume, or, where it
    is Refused, how to give it up. Where the database's disk is full, its tables go then. Cancelled or TakenOver where
    somebody has ended it from elsewhere, at the latest two seconds later.
    """
    begin = partial(Operation.begin, engine, command, filter=filter, ranges=ranges, total=total)
    operation = await (begin() if resume is None else Operation.resume(engine, command, resume))
    me = asyncio.current_task()
    assert me is not None
    life = asyncio.create_task(_live(operation, me))
    try:
        await _sweep(engine)
        yield operation
        await operation.end(operation.ends)
    except (Cancelled, TakenOver):
        raise
    except asyncio.CancelledError:
        if life.done() and (ended := life.exception()) is not None:
            me.uncancel()
            raise ended from None
        life.cancel()
        await _end(operation, "paused")
        raise Paused(f"projector operations resume {operation.id}") from None
    except BaseException as error:
        life.cancel()  # else it might cancel what comes now
        await _end(operation, "failed", str(error) if isinstance(error, ProjectorError) else type(error).__name__)
        if isinstance(error, DiskFull):  # the service needs that room, and stops without it
            await _sweep(engine)
        if isinstance(error, Refused):
            error.add_note(f"to give it up: projector operations cancel {operation.id}")
        else:
            error.add_note(f"to go on from the last committed step: projector operations resume {operation.id}")
        raise
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
    await _sweep(engine)


async def _end(operation: Operation, state: str, error: str | None = None) -> None:
    """Write it down if the database answers. Cancelled or TakenOver where somebody else has ended it before."""
    try:
        async with asyncio.timeout(END_SECONDS):
            await operation.end(state, error)
    except (Cancelled, TakenOver):
        raise
    except (ProjectorError, TimeoutError):
        pass


async def _sweep(engine: AsyncEngine) -> None:
    """Drop what dead operations have left, if that can be done now."""
    with suppress(ProjectorError):
        await left_behind.sweep(engine)


async def _live(operation: Operation, work: asyncio.Task[Any]) -> None:
    """Give signs of life; stop `work` when somebody else has ended it. A database that does not answer is the work's
    own trouble."""
    while True:
        await asyncio.sleep(LIFE_SECONDS)
        try:
            await operation.alive()
        except (Cancelled, TakenOver):
            work.cancel()
            raise
        except ProjectorError:
            continue
