"""`projector demo`: where it can run, and what it returns."""

import logging
import os

from rich.console import Console

from consumer.demo.errors import DemoUnavailable


def demo(*, keep: bool) -> int:
    """Run the demo; `keep`: publish until Ctrl-C. Returns the exit status; DemoUnavailable where it can't start."""
    if os.name != "posix":
        raise DemoUnavailable("it needs Linux or macOS")
    from consumer.demo.session import run_session  # noqa: PLC0415  it imports what only POSIX has

    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # errors are told in one line
    return run_session(Console(), keep=keep)
