"""`projector demo`: where it can run, and what it returns."""

import logging
import os

from rich.console import Console

from neon_projector.consumer.demo.errors import DemoUnavailable


def demo(*, keep: bool, publish_to: str | None = None) -> int:
    """Run the demo; `keep`: publish until Ctrl-C; `publish_to`: only that, to the broker there.

    Returns the exit status; DemoUnavailable where it can't start.
    """
    if os.name != "posix":
        raise DemoUnavailable("it needs Linux or macOS")
    from neon_projector.consumer.demo.elsewhere import publish_elsewhere  # noqa: PLC0415  it imports what only POSIX has
    from neon_projector.consumer.demo.session import run_session  # noqa: PLC0415  it imports what only POSIX has

    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # errors are told in one line
    if publish_to is not None:
        return publish_elsewhere(Console(), publish_to, keep=keep)
    return run_session(Console(), keep=keep)
