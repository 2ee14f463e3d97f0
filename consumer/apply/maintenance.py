"""Removes what is over its time: hidden states after the grace, and old resolved dead letters.

Both run inside transactions that apply records anyway, so they need no connection and no timer of their own.
"""

import math
import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.models.control.waiting import DEAD_LETTERS
from neon_projector.projections.sql.parts import ABSENT

LOOK_SECONDS = 60.0
"""Hidden states are looked for at most this often."""
LETTERS_LOOK_SECONDS = 600.0
"""Old letters are looked for at most this often."""
LETTERS_KEPT_DAYS = 30
AT_ONCE = 10_000
"""At most so many rows of each kind in one transaction."""

_ERASE = text(f"""
    UPDATE {ABSENT} a SET reason = 'erased', state = NULL, waiting_for = NULL, since = now()
    FROM (
        SELECT entity, id FROM {ABSENT}
        WHERE reason = 'parent_deleted' AND since < now() - make_interval(secs => :grace)
        ORDER BY since LIMIT :at_once FOR UPDATE SKIP LOCKED
    ) due WHERE a.entity = due.entity AND a.id = due.id""")
_PRUNE = text(f"""
    DELETE FROM {DEAD_LETTERS} WHERE id IN (
        SELECT id FROM {DEAD_LETTERS}
        WHERE status = 'resolved' AND created_at < now() - make_interval(days => :days)
        ORDER BY created_at LIMIT :at_once FOR UPDATE SKIP LOCKED)""")


class Maintenance:
    """Erases states that have been hidden for `grace` seconds, and deletes letters that were resolved long ago.

    Both go by the database's clock. An erased state leaves a tombstone. While more is due than one transaction takes,
    the next transaction continues.
    """

    def __init__(self, grace: float) -> None:
        """`grace` in seconds; infinite: nothing is erased or deleted, as for a command, which leaves that to the
        service and its settings."""
        self._grace = grace
        self._next_erasure = self._next_pruning = math.inf if math.isinf(grace) else 0.0

    async def run_due(self, connection: AsyncConnection) -> None:
        """Within an open transaction, do what it is time for; most often nothing, and then nothing is sent."""
        now = time.monotonic()
        if now >= self._next_erasure:
            erased = await connection.execute(_ERASE, {"grace": self._grace, "at_once": AT_ONCE})
            pause = min(LOOK_SECONDS, self._grace / 10)
            self._next_erasure = now + pause if erased.rowcount < AT_ONCE else now
        if now >= self._next_pruning:
            pruned = await connection.execute(_PRUNE, {"days": LETTERS_KEPT_DAYS, "at_once": AT_ONCE})
            self._next_pruning = now + LETTERS_LOOK_SECONDS if pruned.rowcount < AT_ONCE else now
