"""Pruning: resolved dead letters of long ago go. It rides on due transactions, as erasure does."""

import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.models.waiting import DEAD_LETTERS

KEPT_DAYS = 30
LOOK_SECONDS = 600.0
"""At most so often is it looked for what is due."""
AT_ONCE = 10_000
"""Letters pruned in one transaction."""

_PRUNE = text(f"""
    DELETE FROM {DEAD_LETTERS} WHERE id IN (
        SELECT id FROM {DEAD_LETTERS}
        WHERE status = 'resolved' AND created_at < now() - interval '{KEPT_DAYS} days'
        ORDER BY created_at LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED)""")


class Pruning:
    """Prunes by the database's clock. It remembers only when to look again."""

    def __init__(self) -> None:
        self._next_look = 0.0

    async def ride(self, connection: AsyncConnection) -> None:
        """Within an open transaction: prune what is due, if it is time to look."""
        now = time.monotonic()
        if now >= self._next_look:
            pruned = await connection.execute(_PRUNE)
            self._next_look = now + LOOK_SECONDS if pruned.rowcount < AT_ONCE else now
