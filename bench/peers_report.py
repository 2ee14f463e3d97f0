"""Writes what was measured beside others: `PEERS.md`."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from xml.etree import ElementTree

from bench.debezium.sink import JVM, POM, SINK
from bench.report import spread
from bench.results import Peers
from bench.service import Drain
from bench.watch import Measured


def write_report(peers: Peers, folder: Path) -> None:
    (folder / "PEERS.md").write_text(_document(peers))
    print((folder / "PEERS.md").read_text())


def _document(peers: Peers) -> str:
    service, warm, cold, rows = (
        median(d.rate for d in drains) for drains in (peers.service, peers.warm, peers.cold, peers.rows)
    )
    return f"""# Beside others

By `make bench-peers`, {datetime.now(UTC):%Y-%m-%d}, on {os.cpu_count()} cores ({platform.machine()}, Python
{platform.python_version()}), Kafka, Postgres, the program and the measurement side by side. The events are those of
`make bench`, each of them complete; 4 + 4 partitions, `fsync` on. Medians of {len(peers.limit)} interleaved runs, with
the lowest and the highest, between first and last commit. After each run the tables are compared with the publisher's
own truth.

| what | events | events/s | program | Postgres | memory | notes |
|---|---|---|---|---|---|---|
| the limit: Postgres alone | {peers.events:,} | {spread(peers.limit)} | | | | no Kafka, no program |
{_service(peers.events, peers.service)}
{_row("Debezium's sink, warm", peers.events, peers.warm, "no foreign key, no version guard, no positions in Postgres")}
{_row("Debezium's sink, new", peers.first, peers.cold, "the same, from the start of its process")}
{_row("row by row", peers.row_by_row, peers.rows, "`session.get` per event, a commit per 500; all users first")}

CPU in µs per event, user and system; memory is `VmHWM` in MB.

**Service / Debezium's sink: {service / warm:.2f}** ({service / cold:.2f} of a new worker). Service / row by row:
{service / rows:.1f}.

## Debezium's sink

{_versions()}, one standalone worker, a sink for each table. What it
reads is the same data in the same order and partitions, made flat beforehand: the columns only, no CloudEvents
envelope, with the schema in the converter (`schema.content`), so that no message carries it. It writes what comes last,
by a plain upsert, without looking at `version`, and has no order between topics: its tables are the service's without
the foreign key. It gets only complete events, in order, once. Before it is measured warm, the same worker has drained
{peers.first:,} events into another database; the service is measured from its start. `{" ".join(JVM)}`, and:

```
{chr(10).join(f"{name}={value}" for name, value in SINK.items())}
```

## Row by row

`bench/row_by_row.py`: the models of this project in SQLModel's `AsyncSession`, with the version guard and the foreign
key. It reads the users to their end before it reads documents, as it has no answer to a document before its user.
"""


def _service(events: int, drains: Sequence[Drain]) -> str:
    told = [Measured(d.rate, d.service, d.postgres, d.kafka, d.peak_megabytes) for d in drains]
    return _row("service", events, told, "foreign key, version guard, positions and dead letters in the transaction")


def _row(name: str, events: int, drains: Sequence[Measured], notes: str) -> str:
    program, postgres = median(d.program for d in drains), median(d.postgres for d in drains)
    peak = max(d.peak_megabytes for d in drains)
    rates = spread([d.rate for d in drains])
    return f"| {name} | {events:,} | {rates} | {program:.1f} | {postgres:.1f} | {peak:.0f} | {notes} |"


def _versions() -> str:
    found = ElementTree.parse(POM).getroot().find("{*}properties")
    assert found is not None
    versions = {element.tag.rpartition("}")[2]: element.text for element in found if isinstance(element.tag, str)}
    return f"Debezium {versions['debezium.version']} in Kafka Connect {versions['kafka.version']}"
