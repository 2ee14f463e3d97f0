"""The one line at the top: how this instance stands, in words."""

from math import isnan
from typing import NamedTuple

from neon_projector.consumer.remedies import named
from neon_projector.consumer.telemetry.page.failing import Finding
from neon_projector.consumer.telemetry.page.sampler import Freshness
from neon_projector.consumer.telemetry.state import ServiceState
from neon_projector.consumer.wording import counted, span

BEHIND_SECONDS = 2.0
"""A record that waits for longer makes a backlog: it is on its way otherwise."""


class Verdict(NamedTuple):
    """`level`: `ok`, `behind` or `stopped`; `word` and then `says` are one sentence."""

    level: str
    word: str
    says: str


def verdict(state: ServiceState, found: list[Finding], fresh: Freshness, rate: float, now: float) -> Verdict:
    """`found` has the worst first; `rate` is in records a second."""
    worst = next((one for one in found if one.level != "look"), None)
    if worst is not None and worst.level == "stopped":
        return Verdict("stopped", "Stopped", worst.short)
    if not state.joined:
        return Verdict("behind", *_joining(found))
    lag, oldest = state.known_lag, max(state.lag_seconds.values(), default=0.0)
    if lag and oldest > BEHIND_SECONDS:
        return Verdict("behind", "Catching up", _to_go(lag, rate))
    if worst is not None:
        return Verdict("behind", "Behind", worst.short)
    if not (state.positions or state.stopped_partitions):
        return _without_partitions(state)
    return _nothing_to_go(state, fresh, now)


def _nothing_to_go(state: ServiceState, fresh: Freshness, now: float) -> Verdict:
    """As far as is known."""
    if untold := state.positions.keys() - state.lag.keys():
        return Verdict("behind", "Looking", f"Kafka has not told yet what is left in {named(sorted(untold))}")
    return Verdict("ok", "All caught up", f"{_fresh(state, fresh, now)}, {_waits(state)}")


def _without_partitions(state: ServiceState) -> Verdict:
    if any(member.partitions for member in state.members if not member.is_this_one):
        return Verdict("ok", "Standing by", "other instances read all partitions")
    return Verdict("behind", "Joining", "no partition is given to this instance yet")


def _joining(found: list[Finding]) -> tuple[str, str]:
    says = next((one.short for one in found if one.check == "group"), "this instance joins the group")
    return "Joining", says


def _to_go(lag: int, rate: float) -> str:
    to_go = f"{counted(lag, 'record')} to go"
    if isnan(rate) or rate < 1:
        return to_go
    return f"{to_go}, {rate:,.0f} a second, about {span(max(1.0, lag / rate))} left"


def _fresh(state: ServiceState, fresh: Freshness, now: float) -> str:
    if fresh.p50 <= BEHIND_SECONDS:  # not NaN, and not of a backlog that is just worked off
        return f"{short(fresh.p50)} behind"
    if state.last_commit_at is None:
        return "nothing has come yet"
    return f"last commit {span(now - state.last_commit_at)} ago"


def _waits(state: ServiceState) -> str:
    if state.counted_at is None:
        return "what waits is not counted yet"
    return f"{sum(state.waiting.get(name, 0) for name in ('parent', 'version', 'contested', 'refused')):,} waiting"


def short(seconds: float) -> str:
    """`12 ms`, `1.5 s`, `3 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)
