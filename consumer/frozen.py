"""Ends the transaction of a frozen process where the server's own limit does not see that it is frozen.

Before it executes a statement that is new to a connection, the driver asks what its parameters are, and the server then
waits for the rest. To the server this is no idle transaction (asyncpg sends Flush there and not Sync, so the state is
`active`), and `idle_in_transaction_session_timeout` does not run. A process that is frozen just then would hold its
locks until `statement_timeout` ends it. Whoever waits for these locks finds that out, and ends the transaction.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from consumer.errors import ProjectorError
from consumer.gate import CLAIM_KEY, GATE_KEY, IDLE_LIMIT
from consumer.recovery import translated

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often one who waits looks."""

_END = text(f"""
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE locktype = 'advisory' AND pg_locks.database = pg_stat_activity.datid AND datname = current_database()
        AND (CAST(classid AS bigint) << 32) + CAST(objid AS bigint) IN ({GATE_KEY}, {CLAIM_KEY}) AND granted
        AND usename = current_user AND state = 'active' AND wait_event = 'ClientRead'
        AND state_change < now() - interval '{IDLE_LIMIT}'""")


class Frozen:
    """Looks for frozen processes while somebody here waits."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._looking = asyncio.Lock()

    @asynccontextmanager
    async def looked_for(self) -> AsyncIterator[None]:
        """Look every five seconds until the body is done; several bodies use one connection together."""
        task = asyncio.create_task(self._look())
        try:
            yield
        finally:
            task.cancel()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with self._looking:
                    ended = await self._end()
            except ProjectorError as error:
                log.debug("looking for frozen processes failed", extra={"error": str(error)})
            else:
                if ended:
                    log.warning("another process holds us up and is frozen; its transactions are ended: %d", ended)

    async def _end(self) -> int:
        with translated():
            async with self._engine.connect() as connection:
                return int((await connection.execute(_END)).scalar_one())
