"""Commands as processes that begin at once: forked from one that has imported everything, which costs a second of a
processor each time. They behave as those that are started afresh: tests/service/test_forked.py."""

import atexit
import itertools
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

PRELOADED = ("neon_projector.consumer.cli.app", "neon_projector.consumer.runner", "tests.support.long_work")
NUMBER = struct.Struct("!i")
ROOT = Path(__file__).parents[2]
_turns = itertools.cycle((0, 1))


class Forked:
    """A process that runs `main` (`module:function`) with these words; has what tests use of `subprocess.Popen`.

    What it prints goes to `output`, or is kept for `communicate`.
    """

    def __init__(
        self, main: str, words: list[str], environment: Mapping[str, str], output: BinaryIO | None = None
    ) -> None:
        self.args = words
        self.returncode: int | None = None
        self._out = output or TemporaryFile()  # noqa: SIM115  read once the process has ended
        self._err = output or TemporaryFile()  # noqa: SIM115
        self._told, theirs = socket.socketpair()
        with theirs:
            streams = [0, self._out.fileno(), self._err.fileno()]
            socket.send_fds(_server(next(_turns)), [b"1"], [theirs.fileno(), *streams])
        request = {"main": main, "words": words, "environment": dict(environment), "directory": str(Path.cwd())}
        self._told.sendall(json.dumps(request).encode() + b"\n")
        self.pid = self._number(self._told.recv(NUMBER.size))

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            waiting = select.poll()
            waiting.register(self._told, select.POLLIN)
            if not waiting.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = self._number(self._told.recv(NUMBER.size, socket.MSG_PEEK))  # several threads may wait
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """What it has printed to standard output and standard error, once it has ended."""
        self.wait(timeout)
        return _all(self._out), _all(self._err)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _number(self, answer: bytes) -> int:
        if not answer:
            raise RuntimeError(f"not started, or lost: the process that others are forked from has ended: {self.args}")
        number: int = NUMBER.unpack(answer)[0]
        return number


@cache
def _server(turn: int) -> socket.socket:
    """Where to ask. There are two, by turns: what runs beside each other has not the same seed for its sets' order."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", "tests.support.forkserver", str(theirs.fileno())]
        nothing = subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=ROOT, stdin=nothing, stdout=nothing, pass_fds=[theirs.fileno()])
    atexit.register(process.wait)
    atexit.register(process.kill)  # first: the last one registered
    return ours


def _all(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
