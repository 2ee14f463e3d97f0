"""The process that `forked.py` lets fork: it has imported everything, and waits. `… -m tests.support.forkserver FD`

For each start it is sent a socket and the three standard streams; the socket then has one line, the request. A process
in between waits for the new one, and sends its exit status over that socket, so nobody here is blocked by it.
"""

import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from tests.support.forked import NUMBER, PRELOADED

Request = dict[str, Any]


def serve(given: socket.socket) -> Request | None:
    """In each process that is forked off: what it is to run. Here: None, once nobody can ask any more."""
    while fds := socket.recv_fds(given, 1, 4)[1]:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if os.fork() == 0:
            given.close()
            return _between(socket.socket(fileno=fds[0]), fds[1:])
        for fd in fds:
            os.close(fd)
    return None


def _between(asking: socket.socket, streams: list[int]) -> Request:
    with asking.makefile("rb") as lines:
        request: Request = json.loads(lines.readline())
    if (child := os.fork()) == 0:
        _become(request, streams)
        asking.sendall(NUMBER.pack(os.getpid()))
        asking.close()
        return request
    for fd in streams:
        os.close(fd)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(BrokenPipeError):  # whoever asked has ended
        asking.sendall(NUMBER.pack(status))
    os._exit(0)


def _become(request: Request, streams: list[int]) -> None:
    """What differs between this process and one that a shell has started."""
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.argv, sys.path[0] = request["words"], os.path.dirname(request["words"][0])  # noqa: PTH120  as Python does
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for those that run, and for pytest
    for module in PRELOADED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    assert threading.active_count() == 1, "a thread is not forked, and what it has locked stays so"
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        wanted = serve(asked)
    if wanted:
        sys.exit(pkgutil.resolve_name(wanted["main"])())
