"""TCP ports for servers of our own on 127.0.0.1."""

import os
import socket
from collections.abc import Iterator
from functools import cache
from itertools import cycle

BLOCKS = range(20_000, 32_000, 200)
"""Lower than what systems give to outgoing connections: 32768 and up on Linux (`ip_local_port_range`), else 49152."""


def free_port() -> int:
    """A port that nobody on 127.0.0.1 listens on, and that no other process which asks here is given."""
    for port in _ports(os.getpid()):
        if probe := _bound(port):
            probe.close()
            return port
    raise OSError(f"no block of free ports from {BLOCKS.start} to {BLOCKS.stop}")


@cache
def _ports(process: int) -> Iterator[int]:  # by process: one that was forked off has a block of its own
    return _of_a_block()


def _of_a_block() -> Iterator[int]:
    """The ports of one block, again and again. Its first port stays bound: so the system knows whose block it is."""
    for first in BLOCKS:
        if claim := _bound(first):
            with claim:
                yield from cycle(range(first + 1, first + BLOCKS.step))


def _bound(port: int) -> socket.socket | None:
    """A socket that has the port, or None where it is taken."""
    own = socket.socket()
    try:
        own.bind(("127.0.0.1", port))
    except OSError:
        own.close()
        return None
    return own
