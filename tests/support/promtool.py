"""Prometheus' own tool: it checks what a service exposes, and checks and tries rules."""

import shutil
import subprocess


def promtool(*arguments: str, given: str | None = None) -> str:
    """What `promtool` has to say, in all; fails where its exit status is not 0. `given` is its standard input."""
    if shutil.which("promtool") is None:
        raise RuntimeError("no promtool: the tests of metrics and alerts need it (apt-get install prometheus)")
    done = subprocess.run(["promtool", *arguments], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
