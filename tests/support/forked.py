"""Commands as processes that begin at once: forked from one that has imported everything. For tests that kill many."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from typing import Any

from tests.support.projector import environment

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["neon_projector.consumer.cli.app", "tests.support.long_work"])


def forked(work: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """`work` in a process of its own; it can be killed, interrupted and waited for (`join`, `exitcode`)."""
    process = _CONTEXT.Process(target=_quietly, args=(work, *arguments))
    process.start()
    return process


def forked_command(settings: Mapping[str, str], *words: str) -> ForkServerProcess:
    """`projector` with these words."""
    return forked(_command, dict(settings), words)


def _command(settings: Mapping[str, str], words: tuple[str, ...]) -> None:
    from neon_projector.consumer.cli import main

    os.environ.clear()
    os.environ.update(environment(settings))
    sys.argv = ["projector", *words]
    main()


def _quietly(work: Callable[..., None], *arguments: Any) -> None:
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123  a device
        sys.stdout = sys.stderr = nowhere
        work(*arguments)
