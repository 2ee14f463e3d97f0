"""Ends the transaction of a frozen process in two cases that the server's own limits miss.

First: before it executes a statement that is new to a connection, the driver asks what its parameters are, and the
server then waits for the rest. asyncpg sends Flush there and not Sync, so the server sees an `active` transaction, and
`idle_in_transaction_session_timeout` does not run. Second: while the server writes an answer that nobody reads, neither
this limit nor `statement_timeout` ends the transaction. A process that freezes at such a moment would hold its locks
for as long as it is frozen. Another process that waits for these locks finds that out here, and ends the transaction.
(Over TCP the server itself gives up an answer that nobody reads for so long: `tcp_user_timeout` in
`consumer.apply.lock`.)
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.apply.lock import CLAIM_KEY, LOCK_KEY
from neon_projector.consumer.errors import ProjectorError
from neon_projector.consumer.recovery.translate import translated

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often a process that waits looks for frozen ones."""

FROZEN_SECONDS = 15.0
"""After this time a process counts as frozen. It is the same time as `IDLE_LIMIT`."""

_HOLDERS = f"""
    FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND wait_event_type = 'Client'
        AND pid IN (
            SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = pg_locks.database
            WHERE locktype = 'advisory' AND granted AND datname = current_database()
                AND (CAST(classid AS bigint) << 32) + CAST(objid AS bigint) IN ({LOCK_KEY}, {CLAIM_KEY}))"""
"""Transactions that hold one of our locks while the server waits for their client."""
_LOOK = text(f"""
    SELECT pid, state_change, wait_event = 'ClientRead' AS reads,
        EXTRACT(epoch FROM now() - state_change) AS seconds {_HOLDERS}""")
_END = text(f"""
    SELECT count(pg_terminate_backend(v.pid)) FROM unnest(CAST(:pid AS integer[]), CAST(:since AS timestamptz[]))
        AS v(pid, since) WHERE (v.pid, v.since) IN (SELECT pid, state_change {_HOLDERS})""")


class Watchdog:
    """Looks for frozen processes while this process waits for a lock."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._looking = asyncio.Lock()
        self._stuck: dict[tuple[int, datetime], float] = {}
        """Backends that write an answer which nobody reads, and since when every look has found them so."""
        self._looked_at = 0.0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
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
                    log.warning(
                        "another process is frozen and blocks this one; transactions of it that were ended: %d", ended
                    )

    async def _end(self) -> int:
        with translated():
            async with self._engine.connect() as connection:
                found = (await connection.execute(_LOOK)).all()
                frozen = self._frozen(found, time.monotonic())
                if not frozen:
                    return 0
                pids, since = map(list, zip(*frozen, strict=True))
                return int((await connection.execute(_END, {"pid": pids, "since": since})).scalar_one())

    def _frozen(self, found: Iterable[Sequence[Any]], now: float) -> list[tuple[int, datetime]]:
        """The backends that have waited for too long. The server knows since when one has been reading; one that writes
        may have begun just now, so it counts from the first look."""
        before = self._stuck if now - self._looked_at < 2 * LOOK_SECONDS else {}
        self._stuck, self._looked_at, frozen = {}, now, []
        for pid, state_change, reads, idle in found:
            backend = pid, state_change
            seconds = idle if reads else now - self._stuck.setdefault(backend, before.get(backend, now))
            if seconds >= FROZEN_SECONDS:
                frozen.append(backend)
        return frozen
