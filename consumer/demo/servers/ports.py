"""Free ports on loopback."""

import socket


def free_port() -> int:
    """A TCP port that nobody on 127.0.0.1 listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
