"""Long work leaves the processor to the service, where both want it."""

import os

NICENESS = 10
"""The service gets nine times as much then (sched(7))."""
_mine: set[int] = set()
"""The process that runs one command and nothing else, where this is one: what calls commands stays as it is."""


def own_process() -> None:
    """This process has one command to run."""
    _mine.add(os.getpid())


def step_back() -> None:
    """Be nice from now on; there is no way back (setpriority(2)). Where somebody else calls the command, nothing."""
    if os.getpid() in _mine:
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
