"""One advisory lock decides which transactions may run beside each other.

A transaction that leaves nothing waiting or deleted may run beside others of its kind. One that keeps something aside
(a document without its owner, a partial event without its base, a tombstone, a contested address) runs alone. Otherwise
it and the transaction that brings what it waits for could be open at the same time, neither would see the other's rows,
and it would wait for ever. It is one lock, not one per key: 100,000 of those exhaust Postgres's shared memory.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.unit import Unit
from neon_projector.models.connection import Connection, DriverTransaction

LOCK_KEY = 0x6E656F6E_67617465
"""The key of the lock, the same in every version: the letters of `neongate`."""
CLAIM_KEY = LOCK_KEY + 1
"""The key of a lock that transactions hold while they claim. Nobody waits for it: the watchdog knows them by it."""

IDLE_LIMIT = "15s"
"""After this time the database ends a transaction whose process is frozen, so that it holds nobody up for ever."""

PLANS = {
    "enable_seqscan": "off",
    "jit": "off",
    "enable_indexscan": "on",
    "enable_bitmapscan": "on",
    "enable_nestloop": "on",
}
"""Make Postgres look rows up by an index, whatever its defaults are. A plan that is made while a table is nearly empty,
and then kept, would read the whole table for each row when it has grown: 62 seconds instead of 5 with 100,000 documents
waiting."""


def _with_settings(lock: str, more: dict[str, str]) -> str:
    settings = {"idle_in_transaction_session_timeout": IDLE_LIMIT, "tcp_user_timeout": IDLE_LIMIT, **more}
    local = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
    return f"SELECT {local}; SELECT {lock}"


_SHARED = _with_settings(f"pg_advisory_xact_lock_shared({LOCK_KEY})", PLANS)
_EXCLUSIVE = _with_settings(f"pg_advisory_xact_lock({LOCK_KEY})", PLANS)
_CLAIM = _with_settings(f"pg_advisory_xact_lock_shared({CLAIM_KEY})", {})


async def enter(connection: AsyncConnection, mode: Mode, check: str = "") -> Unit:
    """Prepare a transaction that applies records. Call it before the transaction's first statement.

    BEGIN then also waits for the lock, executes `check` (SQL that may fail and so end the transaction), and asks
    whether anything waits. The lock and the settings end with the transaction.
    """
    driver = await _driver(connection)
    lock = _SHARED if mode.shared else _EXCLUSIVE
    unit = Unit(connection, driver, mode, f"{lock}; {check}" if check else lock)
    driver.begin_next_with(unit)
    return unit


async def enter_claim(connection: AsyncConnection) -> None:
    """The same for a transaction that claims positions, which may run beside any other."""
    driver = await _driver(connection)
    driver.begin_next_with(DriverTransaction(driver, _CLAIM))


async def _driver(connection: AsyncConnection) -> Connection:
    assert connection.in_transaction(), "what goes with a BEGIN is forgotten where another transaction begins"
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, Connection)
    return driver
