"""Ends the transaction of a frozen process where the server's own limit does not see that it is frozen.

Before it executes a statement that is new to a connection, the driver asks what its parameters are, and the server then
waits for the rest. To the server this is no idle transaction (asyncpg sends Flush there and not Sync, so the state is
`active`), and `idle_in_transaction_session_timeout` does not run. Neither this limit nor `statement_timeout` ends a
transaction while the server writes an answer that nobody reads. A process that is frozen just then would hold its locks
for as long as it is frozen. Whoever waits for these locks finds that out, and ends the transaction. (Over TCP
the server itself gives up an answer that nobody has read for so long: `tcp_user_timeout` in
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

from neon_projector.consumer.apply.lock import CLAIM_KEY, GATE_KEY
from neon_projector.consumer.errors import ProjectorError
from neon_projector.consumer.recovery.translate import translated

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often one who waits looks."""

FROZEN_SECONDS = 15.0
"""After this a process counts as frozen, as `IDLE_LIMIT` says."""

_HOLDERS = f"""
    FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND wait_event_type = 'Client'
        AND pid IN (
            SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = pg_locks.database
            WHERE locktype = 'advisory' AND granted AND datname = current_database()
                AND (CAST(classid AS bigint) << 32) + CAST(objid AS bigint) IN ({GATE_KEY}, {CLAIM_KEY}))"""
"""Those who hold us up, and for whom the server waits."""
_LOOK = text(f"""
    SELECT pid, state_change, wait_event = 'ClientRead' AS reads,
        EXTRACT(epoch FROM now() - state_change) AS seconds {_HOLDERS}""")
_END = text(f"""
    SELECT count(pg_terminate_backend(v.pid)) FROM unnest(CAST(:pid AS integer[]), CAST(:since AS timestamptz[]))
        AS v(pid, since) WHERE (v.pid, v.since) IN (SELECT pid, state_change {_HOLDERS})""")


class Watchdog:
    """Looks for frozen processes while somebody here waits."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._looking = asyncio.Lock()
        self._stuck: dict[tuple[int, datetime], float] = {}
        """Which backends are writing an answer that is not read, and since when it was so at every look."""
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
        """Of one that reads the server knows since when; one that writes may have begun to just now."""
        before = self._stuck if now - self._looked_at < 2 * LOOK_SECONDS else {}
        self._stuck, self._looked_at, frozen = {}, now, []
        for pid, state_change, reads, idle in found:
            backend = pid, state_change
            seconds = idle if reads else now - self._stuck.setdefault(backend, before.get(backend, now))
            if seconds >= FROZEN_SECONDS:
                frozen.append(backend)
        return frozen
