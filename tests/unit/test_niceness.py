"""A command that has a process of its own steps back behind the service; what calls commands does not."""

import os
import subprocess
import sys

from neon_projector.consumer.cli.niceness import NICENESS, step_back

COMMAND = """
import os, sys
from neon_projector.consumer.cli.niceness import own_process, step_back
os.nice(int(sys.argv[1]))
own_process()
step_back()
step_back()
print(os.getpriority(os.PRIO_PROCESS, 0))
"""


def niceness_of_one_that_began_with(niceness: int) -> int:
    command = [sys.executable, "-c", COMMAND, str(niceness - os.getpriority(os.PRIO_PROCESS, 0))]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_it_steps_back_once_and_never_forward() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness_of_one_that_began_with(before) == max(before, NICENESS)
    assert niceness_of_one_that_began_with(15) == 15


def test_who_only_calls_a_command_stays_as_it_is() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    step_back()
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
