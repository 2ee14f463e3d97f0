"""Progress of long work, on standard error: a bar on a terminal, elsewhere a line now and then."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

LINE_SECONDS = 10.0
"""How often there is a line where nobody looks at a terminal."""
RATE_SECONDS = 1.0
"""The rate is that of the work since it began here, and is not told before."""


class Bar:
    """Call it with what is done, and the total where that is known now and was not before.

    It never says 100 % before `progress` ends. Total and what is done count what was done before a resume, too; the
    rate does not: it counts from the first call.
    """

    def __init__(self, what: str, total: int | None, done: int = 0) -> None:
        self.what, self.total, self.done = what, total, done
        self._first: tuple[int, float] | None = None
        """What was done at the first call, and when that was."""

    def __call__(self, done: int, total: int | None = None) -> None:
        self._first = self._first or (done, time.monotonic())
        self.done = done
        self.total = self.total if total is None else total

    @property
    def percent(self) -> float | None:
        """Below 100; None where the total is unknown."""
        return None if not self.total else min(99.9, 100 * self.done / self.total)

    @property
    def rate(self) -> float | None:
        """What is done in a second; None where it is too early to tell."""
        first, began = self._first or (0, time.monotonic())
        passed = time.monotonic() - began
        return (self.done - first) / passed if passed >= RATE_SECONDS else None

    def said(self) -> str:
        """`12,000 of 40,000, 30.0 %, 3,000/s, 0:00:09 left`, as far as it is known."""
        of = "" if self.total is None else f" of {self.total:,}"
        if self.total is None and not self.done:
            return "how long it takes is not known"
        parts = [f"{self.done:,}{of or ' (how many there are is unknown)'}"]
        parts += [] if self.percent is None else [f"{self.percent:.1f} %"]
        if self.rate:
            parts.append(f"{self.rate:,.0f}/s")
            if self.total is not None and self.total > self.done:
                parts.append(f"{timedelta(seconds=round((self.total - self.done) / self.rate))} left")
        return ", ".join(parts)


@contextmanager
def progress(what: str, total: int | None = None, *, done: int = 0, quiet: bool = False) -> Iterator[Bar]:
    """Within, calls of the bar are shown. `quiet`: nothing is."""
    bar = Bar(what, total, done)
    if quiet:
        yield bar
    elif sys.stderr.isatty():
        with _on_terminal(bar) as shown:
            yield shown
    else:
        yield _InLines(bar)


class _InLines(Bar):
    def __init__(self, bar: Bar) -> None:
        super().__init__(bar.what, bar.total, bar.done)
        self._next = time.monotonic() + LINE_SECONDS

    def __call__(self, done: int, total: int | None = None) -> None:
        super().__call__(done, total)
        if (now := time.monotonic()) >= self._next:
            self._next = now + LINE_SECONDS
            print(f"{self.what}: {self.said()}", file=sys.stderr, flush=True)  # noqa: T201  it is for a person


@contextmanager
def _on_terminal(bar: Bar) -> Iterator[Bar]:
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(bar.what, total=None, said="")

        class Shown(Bar):
            def __call__(self, done: int, total: int | None = None) -> None:
                super().__call__(done, total)
                percent = self.percent
                whole = None if percent is None else 100.0
                shown.update(task, completed=percent or 0.0, total=whole, said=self.said())

        yield Shown(bar.what, bar.total, bar.done)
