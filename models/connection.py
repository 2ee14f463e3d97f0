"""The driver's connection, with a quick close and without extra round trips at both ends of a transaction."""

from typing import Any

import asyncpg
from asyncpg.protocol import protocol

FAREWELL_SECONDS = 0.5
"""A pool closes its connections one after another, and a stopping service has ten seconds in all."""


ISOLATION_LEVELS = {
    None: "READ COMMITTED",
    "read_committed": "READ COMMITTED",
    "read_uncommitted": "READ COMMITTED",
    "repeatable_read": "REPEATABLE READ",
    "serializable": "SERIALIZABLE",
}


class Ends:
    """A transaction, as the driver has them (start, commit, rollback), that sends SQL together with its two ends.

    `first` goes with BEGIN and `last` with COMMIT, each pair in one message of the simple protocol: they can have no
    parameters, and where one statement fails those behind it are not executed. BEGIN says the isolation and that it
    writes, and the connection's `preamble` what else it needs.
    """

    def __init__(self, connection: "Connection", first: str = "") -> None:
        self._connection = connection
        self._first = first
        self._isolation = ISOLATION_LEVELS[None]
        self.readonly = False
        self.last = ""
        self.told = ""
        """What the server said of the last statement that went with BEGIN, as `SELECT 1`; empty before."""
        self.started = self.committed = False

    def isolated(self, isolation: str | None, readonly: bool) -> None:
        """Before `start`: as the driver's own transactions are told it."""
        self._isolation, self.readonly = ISOLATION_LEVELS[isolation], readonly

    async def start(self) -> None:
        access = "READ ONLY" if self.readonly else "READ WRITE"
        try:
            self.told = await self._begin(access)
        except asyncpg.FeatureNotSupportedError:  # the server is a standby (or can't do something that `first` wants)
            if self._first:
                raise asyncpg.ReadOnlySQLTransactionError("the server takes no transactions that write") from None
            self.told = await self._begin("READ ONLY")
        self._connection._top_xact = self  # for the driver's cursors, which ask whether there is a transaction
        self.started = True

    async def _begin(self, access: str) -> str:
        begin = f"BEGIN ISOLATION LEVEL {self._isolation} {access} NOT DEFERRABLE"
        return await self._send("; ".join(filter(None, (begin, self._connection.preamble, self._first))))

    async def commit(self) -> None:
        self._connection._top_xact = None
        await self._send(f"{self.last}; COMMIT" if self.last else "COMMIT")
        self.committed = True

    async def rollback(self) -> None:
        self._connection._top_xact = None
        await self._connection.execute("ROLLBACK")

    async def _send(self, statements: str) -> str:
        """An error ends the transaction; where no answer came, the connection with it: who knows where it stands."""
        try:
            told: str = await self._connection.execute(statements)
        except asyncpg.PostgresError:
            if not self._connection.is_closed():
                await self.rollback()
            raise
        except BaseException:
            self._connection.terminate()
            raise
        return told


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """Closes within a moment: the driver would wait for the server's answer as long as for a statement's."""

    preamble = ""
    """SQL that goes with every BEGIN; without it transactions are the driver's own, and every default holds."""
    _ends: Ends | None = None

    def next_transaction(self, first: str) -> Ends:
        """Send `first` with the BEGIN that comes next. What goes with its COMMIT is said to the answer."""
        self._ends = Ends(self, first)
        return self._ends

    def forget_next_transaction(self) -> None:
        """Nothing goes with the BEGIN that comes next: the transaction that was to begin so is given up."""
        self._ends = None

    def transaction(self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False) -> Any:
        """For SQLAlchemy, when it is about to execute the first statement."""
        ends, self._ends = self._ends, None
        if ends is None and not self.preamble:
            return super().transaction(isolation=isolation, readonly=readonly, deferrable=deferrable)
        ends = ends or Ends(self)
        ends.isolated(isolation, readonly)
        return ends

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  the driver's own signature
        try:
            await super().close(timeout=timeout or FAREWELL_SECONDS)
        except TimeoutError:
            self.terminate()


def bind_arrays_quickly() -> None:
    """Let the driver take lists and tuples as arrays, and nothing else.

    Before it binds an array it asks of each element whether that is an array too, by two abstract base classes: a
    third of what binding costs, 0.7 µs for each document. In one process all connections are affected.
    """
    protocol.IterableABC = protocol.SizedABC = (list, tuple)
