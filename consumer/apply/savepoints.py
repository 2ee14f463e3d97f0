"""Tries part of a transaction. If the database refuses it, it is undone, and the transaction goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.mode import Mode
from neon_projector.consumer.apply.refusals import Refusals
from neon_projector.consumer.errors import BadData, Moved, NotTaken

CHECK_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")
"""Makes an application's deferred constraints and constraint triggers check here, and not at COMMIT."""


class Savepoints:
    """Savepoints that tell a refusal from any other error."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals

    @asynccontextmanager
    async def tried(self, connection: AsyncConnection, table: str) -> AsyncIterator[None]:
        """Run the body in a savepoint. If the database refuses what it does, even silently, undo it and raise BadData.

        `table` is the one that the body writes. The error names it if Postgres names none, as with a value that is too
        long. Nobody else writes meanwhile (Mode.EXCLUSIVE_APART), so a row that has changed since it was read is a
        refusal, too.
        """
        nested = await connection.begin_nested()
        try:
            yield
            await connection.execute(CHECK_NOW)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            await nested.rollback()
            known = await self._refusals.read(connection, error, Mode.EXCLUSIVE_APART)
            if isinstance(known, (BadData, Moved)):
                said = known.detail if "table " in known.detail else f"{known.detail}, table {table}"
                raise BadData(said) from None
            raise known or error from None
        except Moved as moved:
            await nested.rollback()
            raise await self.blamed(connection, moved) from None
        except BadData:
            await nested.rollback()
            raise
        else:
            await nested.commit()

    async def blamed(self, connection: AsyncConnection, moved: Moved) -> BadData:
        """What `moved` is if it was no race."""
        if isinstance(moved, NotTaken):
            return BadData(await self._refusals.silent(connection, moved.table))
        return BadData(moved.detail)
