"""What commands ask: a question to the database, a confirmation of the person."""

import asyncio
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.cli.niceness import step_back
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import Refused
from neon_projector.consumer.settings import Settings
from neon_projector.models.engine import create_service_engine

T = TypeVar("T")

Execute = Annotated[bool, typer.Option("--execute", help="Do it. Without this option: a dry run.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
LAST = 2**63 - 1
"""The largest number that the database takes (bigint)."""
MOST = 10.0**9
"""The largest rate, or number of seconds: infinity is no JSON."""
MaxRate = Annotated[float | None, typer.Option(min=1, max=MOST, help="Records a second, at most.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Print at most so many.")]
ByKey = Annotated[
    bool,
    typer.Option("--by-key", help="With --id: read only the partitions where the keys go, as long as that is enough."),
]

DRY = "a dry run: nothing is changed; --execute does it"


def ask(question: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """The answer; the engine is made for it and disposed of after."""
    return asyncio.run(asked(load_settings(), question))


def work(long_work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """As `ask`, for work that can be interrupted."""
    return interruptible(lambda: asked(load_settings(), long_work))


def interruptible(begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it to its end, behind the service where both want the processor. SIGTERM does what Ctrl-C does: it cancels
    the work, and KeyboardInterrupt comes out unless the work has an error of its own for that."""
    step_back()

    async def run() -> T:
        me = asyncio.current_task()
        assert me is not None
        if threading.current_thread() is threading.main_thread():  # no other gets signals
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
        return await begin()

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def asked(settings: Settings, question: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """As `ask`, within a loop."""
    engine = create_service_engine(settings)
    try:
        return await question(engine)
    finally:
        await engine.dispose()


def is_to_ask(yes: bool) -> bool:
    """Whether there is a person to ask, who has not said --yes."""
    return sys.stdin.isatty() and not yes


def confirm(question: str, yes: bool) -> None:
    """Refused unless the person agrees; nobody is asked where there is no terminal."""
    if not is_to_ask(yes):
        return
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort as abort:  # Ctrl-C or the end of the input
        typer.echo(err=True)  # the question has no end of line
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        agreed = False
    if not agreed:
        raise Refused("not confirmed")
