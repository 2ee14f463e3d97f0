"""Prints `docs/errors.md` from the tables that the service uses."""

from collections.abc import Iterator

from neon_projector.consumer.errors import (
    BadData,
    Conflict,
    DiskFull,
    FatalError,
    ProjectorError,
    SchemaMissing,
    TransientError,
)
from neon_projector.consumer.kafka.errors import KAFKA_HALTING, KAFKA_LOST
from neon_projector.consumer.recovery.table import (
    APPLICATION,
    BY_EXCEPTION,
    BY_SQLSTATE,
    BY_WORDS,
    NOT_OURS,
    REPLANNED,
    SCHEMA,
    Known,
)

ACTIONS: dict[type[ProjectorError], str] = {
    Conflict: "decide again",
    TransientError: "wait, try again",
    BadData: "split the batch; the record becomes a dead letter",
    SchemaMissing: "stop; run `projector migrate`",
    FatalError: "stop",
    DiskFull: "stop; long work drops its tables",
}

HEAD = """\
# What is done about which error

Made from the code (`consumer/recovery/table.py`) by `make docs`; a test compares it.

- **wait, try again**: with pauses of 0.05 to 5 seconds. Partitions are kept, nothing is lost or done twice, nothing
  becomes a dead letter, and the log has a line of level `info`. Counted in `projector_retries_total{reason}`.
- **decide again**: another transaction was faster. The state is loaded and the decision made again; the log has a line
  of level `debug`. `23503` and `23505` are not counted where a large batch was written without checking owners and
  unique values first: it is tried again with these checks. A conflict over a row or a unique value that comes back
  several times while nobody else writes is no race: the batch is split, and the record becomes a dead letter.
- **stop**: exit status 3 with one line that says why. Positions are unmoved.

## The database

The first row that matches applies; among rows with SQLSTATEs only, the longest match. `…` stands for the rest of a
class.

| error | what it is | what is done | counted as |
|---|---|---|---|
"""

TAIL = """\
| anything else | unknown: only the type of the error is shown, as its text might quote an event | stop | |

## Kafka

| error | what is done | counted as |
|---|---|---|
"""

LAST = """\
| what the client library calls retriable | wait, try again | `kafka` |
| anything else | stop, with exit status 70 | |

Before it joins the group, the service logs in to one broker by itself: the client library reports a wrong password and
a certificate that is not trusted as a broker that can't be reached. **Limit:** a password that is changed while the
service runs is treated like an outage; the next start reports it.
"""


def document() -> str:
    """The whole of `docs/errors.md`."""
    return HEAD + "".join(_database()) + TAIL + "".join(_kafka()) + LAST


def _database() -> Iterator[str]:
    for row in (*BY_WORDS, APPLICATION, NOT_OURS, REPLANNED, SCHEMA, *BY_SQLSTATE):
        yield _row(", ".join(f"`{state}{'' if len(state) == 5 else '…'}`" for state in row.states), row)
    yield "| the driver's own: the connection is closed | | wait, try again | `connection` |\n"
    for kinds, row in BY_EXCEPTION:
        yield _row("no SQLSTATE: " + ", ".join(dict.fromkeys(f"`{kind.__name__}`" for kind in kinds)), row)


def _row(sign: str, row: Known) -> str:
    words = " or ".join(f'"{part}"' for part in row.words)
    counted = f"`{row.reason}`" if row.reason else ""
    return f"| {sign}{' with ' + words if words else ''} | {row.what} | {ACTIONS[row.kind]} | {counted} |\n"


def _kafka() -> Iterator[str]:
    yield f"| {_names(KAFKA_HALTING)} | stop | |\n"
    yield f"| {_names(KAFKA_LOST)} | wait, try again | `kafka` |\n"


def _names(kinds: tuple[type[Exception], ...]) -> str:
    return ", ".join(dict.fromkeys(f"`{kind.__name__}`" for kind in kinds))


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201  it is what it is for
