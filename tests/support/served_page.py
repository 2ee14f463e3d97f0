"""The sidecar's own app of an instance in one of the states of `page_states`, on a port of its own."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from neon_projector.consumer.settings import Settings
from neon_projector.consumer.telemetry.sidecar import Sidecar, create_app
from neon_projector.consumer.telemetry.state import ServiceState
from tests.support.page_states import SETTINGS, a_page
from tests.support.projector import eventually


def as_it_is(_: ServiceState) -> None:
    """Nothing is changed."""


@contextmanager
def sidecar(
    name: str, settings: Settings = SETTINGS, change: Callable[[ServiceState], None] = as_it_is
) -> Iterator[str]:
    """Where the page of an instance in that state is."""
    state, metrics, page = a_page(name, settings)
    change(state)

    async def ping() -> None:
        """The database answers."""

    def beat() -> None:
        state.last_beat = time.monotonic()
        page.sample()

    one = Sidecar(create_app(state, metrics, settings, ping, page), "127.0.0.1", 0, beat)
    one.start()
    try:
        eventually("the sidecar listens", lambda: _listens(one.port))
        yield f"http://127.0.0.1:{one.port}"
    finally:
        one.stop()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except ConnectionRefusedError:
        return False
    return True
