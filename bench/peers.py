"""`make bench-peers`: the service beside others that apply the same events, interleaved; writes `bench/PEERS.md`.

`python -m bench.peers [RUNS] [EVENTS]`; 3 and 500,000 by default.
"""

from pathlib import Path

from bench.debezium.sink import drain_by_debezium
from bench.events import a_mix
from bench.peers_report import write_report
from bench.results import Peers
from bench.row_by_row import drain_row_by_row
from bench.servers import Bench, on_own_servers


async def measure(bench: Bench, runs: int, events: int) -> Peers:
    peers = Peers(events)
    for number in range(runs):
        peers.limit.append((await bench.limit(a_mix(events))).rate)
        peers.service.append(await bench.drain(a_mix(events)))
        cold, warm = await drain_by_debezium(bench, a_mix(events), a_mix(peers.first))
        peers.cold.append(cold)
        peers.warm.append(warm)
        peers.rows.append(await drain_row_by_row(bench, a_mix(peers.row_by_row)))
        service, rows = peers.service[-1].rate, peers.rows[-1].rate
        print(
            f"run {number + 1}: limit {peers.limit[-1]:,.0f}/s, service {service:,.0f}/s, Debezium {warm.rate:,.0f}/s "
            f"(new: {cold.rate:,.0f}/s), row by row {rows:,.0f}/s; service/Debezium {service / warm.rate:.2f}"
        )
    return peers


if __name__ == "__main__":
    write_report(on_own_servers(measure, 3, 500_000), Path(__file__).parent)
