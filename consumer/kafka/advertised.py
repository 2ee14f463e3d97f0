"""The addresses that brokers give as their own: where one is of no use here, it is named.

A client asks one of KAFKA_BOOTSTRAP_SERVERS for all brokers' addresses (`advertised.listeners`), and from then on uses
only these. Where they hold for the broker's own network only, the client library says that no node is ready.
"""

import logging
import socket
import time
from typing import Any

from aiokafka.conn import AIOKafkaConnection, create_conn

from neon_projector.consumer.logs.printable import printable

log = logging.getLogger(__name__)

SAY_SECONDS = 600.0
"""So often at most there is a line for each address."""


async def connect(host: str, port: int, **options: Any) -> AIOKafkaConnection:
    """A connection, by the client's own `create_conn`; OSError also for a name that no host can have."""
    try:
        return await create_conn(host, port, **options)
    except UnicodeError:  # a part of it is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "not the name of a host") from None


class Advertised:
    """Says which address can't be resolved, or has never been reached."""

    def __init__(self) -> None:
        self._reached: set[tuple[str, int]] = set()
        self._said: dict[tuple[str, int], float] = {}

    def reached(self, host: str, port: int) -> None:
        """A connection was made."""
        self._reached.add((host, port))
        self._said.pop((host, port), None)

    def failed(self, host: str, port: int, error: Exception) -> None:
        """None was made; one that could be made before is an outage, which others tell."""
        unknown, now = isinstance(error, socket.gaierror), time.monotonic()
        if (host, port) in self._reached and not unknown:
            return
        if now - self._said.get((host, port), -SAY_SECONDS) < SAY_SECONDS:
            return
        self._said[host, port] = now
        what = "this machine does not know the host of" if unknown else "this machine can't connect to"
        log.error(
            "%s %s:%d, the address that a broker gives as its own: see advertised.listeners in the broker's settings",
            what,
            printable(host),
            port,
        )


ADVERTISED = Advertised()
"""Of this process."""
