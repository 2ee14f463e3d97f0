"""What the person sees: a live table on a terminal, else a line a second; and the summary with the proof."""

from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from neon_projector.consumer.demo.proof import SHOWN_DIFFERENCES, Check
from neon_projector.consumer.demo.stream.truth import Truth
from neon_projector.consumer.demo.watch import Moment
from neon_projector.consumer.wording import counted

LIVE_SECONDS = 0.25
LINE_SECONDS = 1.0
JOINING = "joining the group, which takes 5 s here"


class Show:
    """Prints to `console`; `planned` is the number of records to come, None where there is no end."""

    def __init__(self, console: Console, planned: int | None) -> None:
        self._console, self._planned = console, planned
        self._live = Live(console=console, auto_refresh=False) if console.is_interactive else None
        self.every = LIVE_SECONDS if self._live else LINE_SECONDS
        """Seconds between two calls of `moment`."""

    def __enter__(self) -> "Show":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

    def moment(self, moment: Moment) -> None:
        """Show how things stand."""
        if self._live:
            self._live.update(_panel(moment, self._planned), refresh=True)
        else:
            self.say(_line(moment))


def _line(moment: Moment) -> str:
    events = moment.events
    outcomes = "  ".join(f"{name} {events.get(name, 0):,}" for name in ("applied", "superseded", "parked", "rejected"))
    return (
        f"{moment.seconds:5.1f} s  published {moment.published:,}  {outcomes}  lag {moment.lag:,}  "
        f"{moment.rate:,.0f}/s  users {moment.users:,}  documents {moment.documents:,}"
        f"{'' if moment.joined else f'  ({JOINING})'}"
    )


def _panel(moment: Moment, planned: int | None) -> Panel:
    events = moment.events
    table = Table.grid(padding=(0, 3))
    for justify in ("left", "right", "left", "right", "left", "right"):
        table.add_column(justify=justify, min_width=9)
    rows = (
        ("published", moment.published, "applied", events.get("applied", 0), "users", moment.users),
        ("lag", moment.lag, "superseded", events.get("superseded", 0), "documents", moment.documents),
        ("rate /s", round(moment.rate), "parked", events.get("parked", 0), "waiting now", moment.waiting),
        ("seconds", round(moment.seconds), "rejected", events.get("rejected", 0), "dead letters", moment.dead_letters),
    )
    for row in rows:
        table.add_row(*(Text(cell, style="dim") if isinstance(cell, str) else f"{cell:,}" for cell in row))
    parts: list[Table | ProgressBar] = [table]
    if planned:
        parts.append(ProgressBar(total=planned, completed=min(moment.consumed, planned), width=70))
    return Panel(
        Group(*parts),
        title="Neon Projector",
        subtitle=None if moment.joined else JOINING,
        expand=False,
        border_style="cyan",
    )


def summarise(console: Console, checks: Sequence[Check], truth: Truth, seconds: float) -> None:
    """Print the proof, what differs, and the verdict."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("checked")
    table.add_column("must be", justify="right")
    table.add_column("in the database", justify="right")
    table.add_column("")
    for check in checks:
        verdict = Text("equal", style="green") if check.holds else Text("DIFFERS", style="bold red")
        table.add_row(check.name, check.expected, check.found, verdict)
    console.print(table)
    reasons = Counter(truth.dead_letters.values()).most_common()
    console.print(f"Bad records: {', '.join(f'{name} {number:,}' for name, number in reasons)}", highlight=False)
    for check in checks:
        for difference in sorted(check.differences)[:SHOWN_DIFFERENCES]:
            console.print(f"  {difference}", style="red", highlight=False, markup=False, soft_wrap=True)
        if (more := len(check.differences) - SHOWN_DIFFERENCES) > 0:
            console.print(f"  and {more:,} more in: {check.name}", style="red", highlight=False, markup=False)
    if all(check.holds for check in checks):
        verdict = Text("PROVED: the tables equal what was published", style="bold green")
    else:
        verdict = Text("NOT PROVED: the tables differ from what was published", style="bold red")
    console.print(verdict.append(f" ({counted(truth.published, 'record')} in {seconds:.1f} s)", style="default"))
