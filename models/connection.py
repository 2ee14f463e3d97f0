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


class DriverTransaction:
    """A transaction with the driver's methods (start, commit, rollback) that sends SQL together with its two ends.

    `first` travels with BEGIN, and what `commit_with` is given travels with COMMIT, each in one message of the simple
    protocol. So this SQL can have no parameters, and if one statement fails, Postgres does not execute those behind it.
    BEGIN sets the isolation level and whether the transaction writes; the connection's `preamble` sets the rest.
    """

    def __init__(self, connection: "Connection", first: str = "") -> None:
        self._connection = connection
        self._first = first
        self._last = ""
        self._isolation = ISOLATION_LEVELS[None]
        self._deferrable = False
        self.readonly = False
        self.started = self.committed = False

    def commit_with(self, sql: str) -> None:
        """Send `sql` in front of COMMIT, in the same message."""
        self._last = sql

    def began(self, tag: str) -> None:
        """Called once, when BEGIN has succeeded. `tag` is the command tag of the last statement sent with it, such as
        `SELECT 1`: one row."""
        self.started = True

    def isolated(self, isolation: str | None, readonly: bool, deferrable: bool) -> None:
        """Set the isolation level and the access mode. Call it before `start`."""
        self._isolation, self.readonly, self._deferrable = ISOLATION_LEVELS[isolation], readonly, deferrable

    async def start(self) -> None:
        access = "READ ONLY" if self.readonly else "READ WRITE"
        try:
            tag = await self._begin(access)
        except asyncpg.FeatureNotSupportedError:  # the server is a standby (or lacks a feature that `first` uses)
            if self._first:
                raise asyncpg.ReadOnlySQLTransactionError("the server takes no transactions that write") from None
            tag = await self._begin("READ ONLY")
        self._connection._top_xact = self  # the driver's cursors check for a transaction
        self.began(tag)

    async def _begin(self, access: str) -> str:
        deferrable = "DEFERRABLE" if self._deferrable else "NOT DEFERRABLE"
        begin = f"BEGIN ISOLATION LEVEL {self._isolation} {access} {deferrable}"
        return await self._send("; ".join(filter(None, (begin, self._connection.preamble, self._first))))

    async def commit(self) -> None:
        self._connection._top_xact = None
        await self._send(f"{self._last}; COMMIT" if self._last else "COMMIT")
        self.committed = True

    async def rollback(self) -> None:
        self._connection._top_xact = None
        await self._connection.execute("ROLLBACK")

    async def _send(self, statements: str) -> str:
        """Execute `statements`; returns the command tag of the last one. An error rolls the transaction back; without
        an answer its state is unknown, so the connection is closed."""
        try:
            tag: str = await self._connection.execute(statements)
        except asyncpg.PostgresError:
            if not self._connection.is_closed():
                await self.rollback()
            raise
        except BaseException:
            self._connection.terminate()
            raise
        return tag


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that closes quickly: the driver would wait for the server's answer as long as for a statement's."""

    preamble = ""
    """SQL sent with every BEGIN. If it is empty, the driver's own transactions are used, with every default."""
    _next: DriverTransaction | None = None

    def begin_next_with(self, transaction: DriverTransaction) -> None:
        """Make the next BEGIN that of `transaction`, which was made for this connection."""
        self._next = transaction

    def forget_next_transaction(self) -> None:
        """Send nothing with the next BEGIN: the transaction that was prepared never began."""
        self._next = None

    def transaction(self, *, isolation: str | None = None, readonly: bool = False, deferrable: bool = False) -> Any:
        """SQLAlchemy calls this before it executes the first statement."""
        transaction, self._next = self._next, None
        if transaction is None and not self.preamble:
            return super().transaction(isolation=isolation, readonly=readonly, deferrable=deferrable)
        transaction = transaction or DriverTransaction(self)
        transaction.isolated(isolation, readonly, deferrable)
        return transaction

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  the driver's own signature
        try:
            await super().close(timeout=timeout or FAREWELL_SECONDS)
        except TimeoutError:
            self.terminate()


def bind_arrays_quickly() -> None:
    """Let the driver take lists and tuples as arrays, and nothing else.

    The driver checks each element of an array against two abstract base classes, to see whether it is an array itself.
    That is a third of the cost of binding, 0.7 µs per document. The change affects all connections of the process.
    """
    protocol.IterableABC = protocol.SizedABC = (list, tuple)
