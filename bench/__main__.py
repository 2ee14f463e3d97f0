"""`make bench`: measures the service beside the limit, interleaved, and writes `bench/RESULTS.md` with a plot.

`python -m bench [RUNS] [EVENTS]`; 3 and 500,000 by default.
"""

from pathlib import Path

from bench.events import Mix, a_mix
from bench.report import write_report
from bench.results import FEWER, Results
from bench.servers import Bench, on_own_servers

ROUND_TRIPS_MS = (0, 5, 20, 50)
LARGE = Mix(users=8, documents=400, updates=0, content="x" * 950_000)
"""Nearly the largest values that there may be, 380 MB of them."""
SMALL = Mix(users=1_000, documents=100_000, updates=0, content="x" * 1_000)
ROWS_BEFORE = (99_999, 999_999, 4_999_998)
RATES = {1_000: (30.0, 20.0), 10: (5.0, 60.0)}
"""By events per second: warm-up and measurement, in seconds. Three runs make 60,000 samples, and three minutes."""


async def measure(bench: Bench, results: Results) -> None:
    """Everything once."""
    events = results.events
    results.limit.append(await bench.limit(a_mix(events)))
    results.whole.append(await bench.drain(a_mix(events)))
    results.limit_of_two.append(await bench.limit(a_mix(events), connections=2))
    results.partial.append(await bench.drain(a_mix(events, partial=0.5)))
    print(f"limit {results.limit[-1]}\nservice {results.whole[-1]}\npartial {results.partial[-1]}")
    for milliseconds in ROUND_TRIPS_MS:
        results.far[milliseconds].append(await bench.drain(a_mix(events), round_trip_ms=milliseconds))
        print(f"{milliseconds} ms away: {results.far[milliseconds][-1]}")
    for rate, (warm_up, seconds) in RATES.items():
        results.fresh[rate].append(await bench.freshness(rate, warm_up, seconds))
        print(results.fresh[rate][-1])
    for partitions in (4, 32, 128):
        results.partitions[2 * partitions].append(await bench.drain(a_mix(events), partitions))
    results.large.append(await bench.drain(LARGE))
    results.small.append(await bench.drain(SMALL, partitions=128))
    for rows in ROWS_BEFORE:
        results.filled[rows].append(await bench.drain(a_mix(FEWER), rows_before=rows))
        print(f"{rows:,} rows before: {results.filled[rows][-1]}")


async def _runs(bench: Bench, runs: int, events: int) -> Results:
    results = Results(events)
    for _ in range(runs):
        await measure(bench, results)
    return results


if __name__ == "__main__":
    write_report(on_own_servers(_runs, 3, 500_000), Path(__file__).parent)
