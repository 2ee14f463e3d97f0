"""The gate: one advisory lock that decides who may be at work beside whom.

A transaction that only shows things may run beside others of its kind. One that keeps something aside (a document
without its owner, a partial event without its base, a tombstone, a contested address) runs alone: else the one that
brings what it waits for could be open at the same time, neither would see the other, and it would wait for ever. It is
one lock, not one per key: 100,000 of those exhaust Postgres's shared memory.
"""

from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.models.connection import Connection, Ends
from neon_projector.projections.sql.parts import ABSENT, PARKED

GATE_KEY = 0x6E656F6E_67617465
"""The letters of `neongate`."""
CLAIM_KEY = GATE_KEY + 1
"""Of the lock by which transactions that claim are known; nobody waits for it."""

IDLE_LIMIT = "15s"
"""After this the database ends a transaction whose process is frozen, so that it holds nobody up for ever."""


PLANS = {
    "enable_seqscan": "off",
    "jit": "off",
    "enable_indexscan": "on",
    "enable_bitmapscan": "on",
    "enable_nestloop": "on",
}
"""Rows are looked up by an index, whatever the defaults are."""


class Mode(IntEnum):
    """How a transaction goes about it; each is slower than the one before, and can do more."""

    SHARED_INSERT = 0
    """Beside others; it can keep nothing aside, and takes entities of version 1 to be new."""
    SHARED = 1
    """Beside others; it can keep nothing aside."""
    SHARED_LOOKING = 2
    """Beside others; what lacks a parent, or wants a unique value that another has, is found before it is written."""
    EXCLUSIVE = 3
    """No other transaction is open meanwhile."""
    EXCLUSIVE_RESOLVE = 4
    """Alone, and it is decided who gets which unique value before anything is written."""
    EXCLUSIVE_APART = 5
    """The same for one record, of which or by which the database has refused something: each row that it brings along
    is tried by itself, and kept aside where the database refuses it."""


_WAITS = f"SELECT WHERE EXISTS (SELECT FROM {ABSENT} WHERE waiting_for IS NOT NULL) OR EXISTS (SELECT FROM {PARKED})"
"""One row if anything waits for another entity or for a version before it."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A transaction that has passed the gate, or will with its first statement."""

    mode: Mode
    ends: Ends

    @property
    def nothing_waits(self) -> bool:
        """It was seen that nothing waits, and nothing can begin to: beside others nobody keeps anything aside."""
        return self.mode <= Mode.SHARED_LOOKING and self.ends.told == "SELECT 0"


async def enter(connection: AsyncConnection, mode: Mode, check: str = "") -> Entered:
    """Before the first statement of a transaction, and sent with its BEGIN: wait until it may begin. `check` is SQL
    that may end it just then.

    Lock and settings go with the transaction. Every statement that follows looks rows up by an index: a plan that is
    made while a table is nearly empty, and kept, would read the whole table for each row when it has grown; with
    100,000 documents waiting 62 seconds instead of 5.
    """
    lock = f"pg_advisory_xact_lock{'_shared' if mode <= Mode.SHARED_LOOKING else ''}({GATE_KEY})"
    ends = await _begin_with(connection, "; ".join(filter(None, (lock, check, _WAITS))), PLANS)
    return Entered(mode, ends)


async def enter_claim(connection: AsyncConnection) -> None:
    """The same for a transaction that claims positions, which may run beside any other."""
    await _begin_with(connection, f"pg_advisory_xact_lock_shared({CLAIM_KEY})", {})


async def _begin_with(connection: AsyncConnection, lock: str, more: dict[str, str]) -> Ends:
    assert connection.in_transaction(), "what goes with a BEGIN is forgotten where another transaction begins"
    settings = {"idle_in_transaction_session_timeout": IDLE_LIMIT, "tcp_user_timeout": IDLE_LIMIT, **more}
    local = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, Connection)
    return driver.next_transaction(f"SELECT {local}; SELECT {lock}")
