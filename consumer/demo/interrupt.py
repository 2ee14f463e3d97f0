"""Ctrl-C as a wish that is looked at, never an exception in the middle of starting or stopping a server."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt:
    """Within `with`, remembers that one of SIGNALS has come; at the end the handlers are as before."""

    def __init__(self) -> None:
        self.times = 0
        """How often one has come."""
        self._notify: Callable[[], object] = lambda: None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interrupt":
        self._before = {number: signal.signal(number, self._asked) for number in SIGNALS}
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def event(self) -> asyncio.Event:
        """An event of the running loop that is set when asked; there is one at a time."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        self._notify = lambda: None if loop.is_closed() else loop.call_soon_threadsafe(event.set)
        if self.times:
            event.set()
        return event

    def _asked(self, *_signal: object) -> None:
        self.times += 1
        self._notify()
