"""What a process finds where it begins, as JSON: `python tests/support/process_facts.py`, or forked."""

import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path


def tell() -> None:
    """In `chance` is what two processes must not share."""
    streams = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}
    how = {n: [s.encoding, s.errors, s.line_buffering, s.isatty(), s.fileno()] for n, s in streams.items()}
    facts = {
        "argv": sys.argv, "first on the path": sys.path[0], "directory": str(Path.cwd()),
        "environment": dict(os.environ), "nice": os.nice(0),
        "handlers": {one.name: str(signal.getsignal(one)) for one in signal.Signals},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "wakes": signal.set_wakeup_fd(-1),
        "threads": threading.active_count(), "main thread": threading.main_thread() is threading.current_thread(),
        "open": sorted(path.name for path in Path("/dev/fd").iterdir()), "streams": how, "group": os.getpgrp(),
        "session": os.getsid(0), "umask": os.umask(0), "zone": time.tzname, "temporary": tempfile.gettempdir(),
        "loop": asyncio._get_running_loop(),
    }  # fmt: skip
    chance = [hash("seed"), random.random(), os.getpid()]
    print(json.dumps({"facts": facts, "chance": chance}))  # noqa: T201  for whoever has started it
    sys.exit(7)


if __name__ == "__main__":
    tell()
