"""Writes what was measured: `RESULTS.md`, and `results.svg` beside it."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.curve import HEADING
from bench.freshness import Freshness
from bench.limit import Limit
from bench.results import Results
from bench.sections import section_of, with_section
from bench.service import Drain

GOAL_OF_LIMIT = 0.9
GOALS_FAR = {5: 0.9, 20: 0.8, 50: 0.6}
"""By milliseconds of round trip, of the rate without delay."""


def write_report(results: Results, folder: Path) -> None:
    """Both files, in `folder`. What `make bench-curve` wrote stays."""
    document = folder / "RESULTS.md"
    apart = section_of(document.read_text(), HEADING) if document.exists() else ""
    document.write_text(with_section(_document(results), apart))
    bars = [("limit: Postgres alone", _rate(results.limit))]
    bars += [("service", _rate(results.whole)), ("service, half of the updates partial", _rate(results.partial))]
    bars += [(f"service, {ms} ms round trip", _rate(drains)) for ms, drains in results.far.items() if ms]
    (folder / "results.svg").write_text(_plot(bars))
    print(document.read_text())


def _rate(drains: Sequence[Drain | Limit]) -> float:
    return median(drain.rate for drain in drains)


def spread(values: Sequence[float]) -> str:
    """Median, lowest and highest."""
    return f"{median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def _document(results: Results) -> str:
    limit, whole, partial = _rate(results.limit), _rate(results.whole), _rate(results.partial)
    return f"""# What was measured

By `make bench`, {datetime.now(UTC):%Y-%m-%d}, on {os.cpu_count()} cores ({platform.machine()}, Python
{platform.python_version()}), Kafka, Postgres, service and the measurement side by side. {results.events:,} events:
a fifth `user.created`, two fifths `document.created`, two fifths complete updates (30 % of them on users, documents
changing owner), about 380 bytes each, 4 + 4 partitions, `fsync` on. Medians of {len(results.limit)} interleaved runs,
with the lowest and the highest. After each drain the tables are compared with the publisher's own truth.

![events per second](results.svg)

## Drain

| what | events/s | of the limit | service | Postgres | Kafka | memory | parked |
|---|---|---|---|---|---|---|---|
{_limits("the limit: Postgres alone (`limit.sql`)", results.limit, limit)}
{_limits("the same over two connections", results.limit_of_two, limit)}
{_drains("service", results.whole, limit)}
{_drains("service, half of the updates partial", results.partial, limit)}

CPU in µs per event, user and system, between first and last commit; memory is `VmHWM` in MB. Goal: {GOAL_OF_LIMIT} of
the limit; it is {whole / limit:.2f}, by runs {_ratios(results)}. The second mix: {partial / whole:.2f} of the first,
goal 0.8. From process start to the first commit, with a backlog:
{_times(results.whole, "first_applied_seconds")} s, goal 1.5.

## Far from the database

| round trip, ms | events/s | of the drain without delay | goal |
|---|---|---|---|
{_far(results)}

Through a proxy that adds the round trip, with default settings.

## Partitions

| partitions | events/s | service, µs per event | Postgres, µs per event | memory, MB |
|---|---|---|---|---|
{_partitions(results)}

## Memory

| backlog | `VmHWM`, MB: median, lowest and highest | events/s |
|---|---|---|
{_memory("400 values of 0.95 MB in 8 partitions", results.large)}
{_memory("101,000 values of 1 kB in 256 partitions", results.small)}

## Rows in the tables before

| rows | events/s | service, µs per event | Postgres, µs per event | memory, MB |
|---|---|---|---|---|
{_filled(results)}

Partitions: a drain of all events each time. Rows before: of {results.fewer:,}.

## Freshness

| events/s | samples a run | median, ms | 99th percentile, ms | a bare commit: median | 99th |
|---|---|---|---|---|---|
{_freshness(results)}

From the record's timestamp (the producer's clock, whole milliseconds) to the return of COMMIT.
"""


def _ratios(results: Results) -> str:
    pairs = zip(results.limit, results.whole, strict=True)
    return ", ".join(f"{drain.rate / limit.rate:.2f}" for limit, drain in pairs)


def _limits(name: str, limits: Sequence[Limit], limit: float) -> str:
    rates, used = [one.rate for one in limits], median(one.postgres for one in limits)
    return f"| {name} | {spread(rates)} | {median(rates) / limit:.2f} | | {used:.1f} | | | |"


def _drains(name: str, drains: Sequence[Drain], limit: float) -> str:
    def of(attribute: str) -> str:
        return f"{median(getattr(drain, attribute) for drain in drains):.1f}"

    rates, peak = [drain.rate for drain in drains], max(drain.peak_megabytes for drain in drains)
    parked = max(drain.parked for drain in drains)
    used = f"{of('service')} | {of('postgres')} | {of('kafka')}"
    return f"| {name} | {spread(rates)} | {median(rates) / limit:.2f} | {used} | {peak:.0f} | {parked} |"


def _far(results: Results) -> str:
    near = _rate(results.far[0])
    return "\n".join(
        f"| {ms} | {spread([d.rate for d in drains])} | {_rate(drains) / near:.2f} | {GOALS_FAR.get(ms, 1)} |"
        for ms, drains in results.far.items()
    )


def _partitions(results: Results) -> str:
    return "\n".join(_curve(number, drains) for number, drains in results.partitions.items())


def _memory(name: str, drains: Sequence[Drain]) -> str:
    return f"| {name} | {spread([d.peak_megabytes for d in drains])} | {spread([d.rate for d in drains])} |"


def _filled(results: Results) -> str:
    return "\n".join(_curve(rows, drains) for rows, drains in results.filled.items())


def _curve(number: int, drains: Sequence[Drain]) -> str:
    service, postgres = median(d.service for d in drains), median(d.postgres for d in drains)
    peak = max(d.peak_megabytes for d in drains)
    return f"| {number:,} | {spread([d.rate for d in drains])} | {service:.1f} | {postgres:.1f} | {peak:.0f} |"


def _freshness(results: Results) -> str:
    return "\n".join(
        f"| {rate:,} | {told[0].samples:,} | {_times(told, 'p50')} | {_times(told, 'p99')} "
        f"| {_times(told, 'bare_p50')} | {_times(told, 'bare_p99')} |"
        for rate, told in results.fresh.items()
    )


def _times(told: Sequence[Freshness | Drain], attribute: str) -> str:
    values = [getattr(one, attribute) for one in told]
    return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def _plot(bars: Sequence[tuple[str, float]]) -> str:
    """Horizontal bars of events per second."""
    widest = max(value for _, value in bars)
    rows = [
        f'<text x="250" y="{y + 15}" text-anchor="end">{name}</text>'
        f'<rect x="260" y="{y}" width="{400 * value / widest:.0f}" height="20" fill="#3a6ea5"/>'
        f'<text x="{266 + 400 * value / widest:.0f}" y="{y + 15}">{value:,.0f}</text>'
        for y, (name, value) in ((10 + 30 * number, bar) for number, bar in enumerate(bars))
    ]
    size = f'width="760" height="{20 + 30 * len(bars)}"'
    background = '<rect width="100%" height="100%" fill="white"/>'
    style = "font-family='sans-serif' font-size='13'"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{background}{"".join(rows)}</svg>\n'
