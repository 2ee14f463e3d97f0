"""`make bench-curve`: `verify` and `rebuild` by the number of rows; writes a section of `bench/RESULTS.md`, no more.

`python -m bench.curve [ROWS …]`; 300,000 and 3,000,000 by default, each of twice as many records. That takes about
twenty minutes, and 4 GB of memory for the publisher. A machine that has nothing else to do tells the truth.
"""

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.healing import MANY, Healed, measure
from bench.sections import with_section
from bench.servers import Bench, on_own_servers

SIZES = (300_000, 3_000_000)
HEADING = "## Verify and rebuild"
ALL = (
    "rows", "records", "drain, records/s", "`verify`, s", "records/s", "memory", "`rebuild`, s", "memory", "waited",
)  # fmt: skip
ONE = (
    "rows", "a document: `verify`, s", "`rebuild`, s", "waited", "a user: `verify`, s", "with `--by-key`",
    "`rebuild`, s", "waited",
)  # fmt: skip
RESULTS = Path(__file__).parent / "RESULTS.md"


def section(sizes: Sequence[Healed]) -> str:
    """In Markdown."""
    return f"""{HEADING}

By `make bench-curve`, {datetime.now(UTC):%Y-%m-%d}, on {os.cpu_count()} cores ({platform.machine()}, Python
{platform.python_version()}), one run of each size. A third of the rows are users, half of the records updates. `verify`
compares all; then, beside a live service without traffic, `rebuild` heals {MANY:,} changed users. Seconds are from the
command's start to its end; memory is `VmHWM` in MB; `waited` is how long the service waited for the command in all, in
seconds (`verify` never lets it wait).

{_table(ALL, map(_all, sizes))}

With `--id`, of one that was changed by hand. The user's documents are compared and healed with it; as some have had
other owners, the topics are read twice, but with `--by-key` once and in part.

{_table(ONE, map(_one, sizes))}
"""


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head, *lines = (f"| {' | '.join(row)} |" for row in (columns, *rows))
    return "\n".join([head, "|" + "---|" * len(columns), *lines])


def _all(one: Healed) -> list[str]:
    verified, many = one.verified, one.many
    return [
        f"{one.rows:,}", f"{one.records:,}", f"{one.drained.rate:,.0f}",
        f"{one.records / verified.rate:.1f}", f"{verified.rate:,.0f}", f"{verified.peak_megabytes}",
        f"{many.seconds:.1f}", f"{many.peak_megabytes}", f"{many.told['waited']:.2f}",
    ]  # fmt: skip


def _one(one: Healed) -> list[str]:
    document, user = one.document, one.user
    return [
        f"{one.rows:,}",
        f"{document.verify.seconds:.1f}", f"{document.rebuild.seconds:.1f}", f"{document.rebuild.told['waited']:.2f}",
        f"{user.verify.seconds:.1f}", f"{one.by_key.seconds:.1f}",
        f"{user.rebuild.seconds:.1f}", f"{user.rebuild.told['waited']:.2f}",
    ]  # fmt: skip


async def _measured(bench: Bench, *rows: int) -> list[Healed]:
    return [await measure(bench, one) for one in rows]


def main() -> None:
    found = on_own_servers(_measured, *(SIZES if len(sys.argv) == 1 else [0] * (len(sys.argv) - 1)))
    RESULTS.write_text(with_section(RESULTS.read_text(), section(found)))
    print(section(found))


if __name__ == "__main__":
    main()
