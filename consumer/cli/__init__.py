"""`projector`: the commands, and what their exit status says."""

import asyncio
import logging
import sys

from neon_projector.consumer.cli.app import app
from neon_projector.consumer.cli.niceness import own_process
from neon_projector.consumer.cli.output import said_error
from neon_projector.consumer.cli.streams import NO_ROOM, open_output, wrong_argument
from neon_projector.consumer.cli.told_apart import told_apart
from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.errors import ProjectorError, WrongSettings

USAGE = 2
BUG = 70
INTERRUPTED = 130


def main() -> None:
    """Run a command. 0 fine, 1 unhealthy, 2 usage, 3 no database or broker, 4 refused, 70 a bug, 130 Ctrl-C."""
    own_process()
    open_output()
    if wrong := wrong_argument(sys.argv[1:]):
        print(f"projector: {wrong}", file=sys.stderr)  # noqa: T201  the one line for the person
        sys.exit(USAGE)
    try:
        app(prog_name="projector")
    except ProjectorError as raised:
        error = _told_apart(raised)
        for line in (f"projector: {said_error(error)}", *getattr(raised, "__notes__", ())):
            print(line, file=sys.stderr)  # noqa: T201  the one line for the person, and what to do
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            print(f"projector: a file takes no more: {error.strerror}", file=sys.stderr)  # noqa: T201  likewise
            sys.exit(USAGE)
        logging.getLogger("neon_projector").exception("a bug: please report it with these lines")
        sys.exit(BUG)


def _told_apart(error: ProjectorError) -> ProjectorError:
    try:
        return asyncio.run(told_apart(error, load_settings()))
    except WrongSettings:  # a command that needs none
        return error
