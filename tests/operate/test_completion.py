"""Bash completes commands and options after `projector --install-completion`, in a home of the test's own."""

import os
import subprocess
from pathlib import Path

from tests.support.projector import PROJECTOR

COMPLETE = r"""
source ~/.bashrc
words=("$@"); COMP_WORDS=(projector "${words[@]}"); COMP_CWORD=$#
$(complete -p projector | sed 's/.*-F \([^ ]*\).*/\1/') projector "${words[-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


def test_bash_completes_commands_and_options_once_it_is_installed(tmp_path: Path) -> None:
    installed = bash(tmp_path, "projector --install-completion; echo")
    assert "bash completion installed" in installed
    assert bash(tmp_path, COMPLETE, "off").split() == ["offsets"]
    assert bash(tmp_path, COMPLETE, "dead-letters", "ex").split() == ["export"]
    assert {"--to-earliest", "--to-latest"} <= set(bash(tmp_path, COMPLETE, "offsets", "reset", "--to-").split())


def bash(home: Path, script: str, *words: str) -> str:
    """What `script` prints in a bash whose home is `home`, with `projector` on its path."""
    settings = {"HOME": str(home), "SHELL": "/bin/bash", "PATH": f"{PROJECTOR.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words], env=settings, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout
