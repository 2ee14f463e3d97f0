"""Commands that are called in this process, as typer calls them."""

import asyncio
import json
from typing import Any

from typer.testing import CliRunner

from neon_projector.consumer.cli.app import app
from tests.support.projector import command
from tests.support.world import World

RETRY = ("dead-letters", "retry")


async def told(world: World, *words: str, exit_status: int | None = 0) -> Any:
    """What `words` print with --json; None: the exit status may be any."""
    done = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--json"], env=world.settings)
    assert exit_status in (None, done.exit_code), (done.output, done.exception)
    return json.loads(done.stdout)


async def failed(world: World, *words: str) -> BaseException | None:
    """How `words` end that do not succeed; `projector` makes the exit status of that."""
    return (await asyncio.to_thread(CliRunner().invoke, app, list(words), env=world.settings)).exception


async def printed(world: World, *words: str) -> str:
    """What `words` print for people."""
    return (await asyncio.to_thread(CliRunner().invoke, app, list(words), env=world.settings)).stdout


def asked(world: World, *words: str, exit_status: int = 0) -> Any:
    """What the installed command prints with --json."""
    done = command(*words, "--json", settings=world.settings)
    assert done.returncode == exit_status, done.stderr
    return json.loads(done.stdout)


async def refused(world: World, *words: str) -> int:
    """The exit status of `words`, which print nothing on standard output and one line of why."""
    done = await asyncio.to_thread(command, *words, "--json", settings=world.settings)
    assert (done.stdout, done.stderr.count("\n"), done.returncode > 0) == ("", 1, True), done
    return done.returncode


async def usage(*words: str) -> int:
    """The exit status of `projector dead-letters` with wrong `words`, which need no server."""
    return (await asyncio.to_thread(CliRunner().invoke, app, ["dead-letters", *words])).exit_code
