"""Erasure: states hidden for longer than the grace are given up; a tombstone remains. It rides on due transactions."""

import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.projections.sql.parts import ABSENT

LOOK_SECONDS = 60.0
"""At most so often is it looked for what is due."""
AT_ONCE = 10_000
"""States erased in one transaction."""

_ERASE = text(f"""
    UPDATE {ABSENT} a SET reason = 'erased', state = NULL, waiting_for = NULL, since = now()
    FROM (
        SELECT entity, id FROM {ABSENT}
        WHERE reason = 'parent_deleted' AND since < now() - make_interval(secs => :grace)
        ORDER BY since LIMIT :at_once FOR UPDATE SKIP LOCKED
    ) due WHERE a.entity = due.entity AND a.id = due.id""")


class Erasure:
    """Erases what has been hidden for `grace` seconds, by the database's clock."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._next_look = 0.0

    async def ride(self, connection: AsyncConnection) -> None:
        """Within an open transaction: erase what is due, if it is time to look."""
        now = time.monotonic()
        if now < self._next_look:
            return
        erased = await connection.execute(_ERASE, {"grace": self._grace, "at_once": AT_ONCE})
        pause = min(LOOK_SECONDS, self._grace / 10)
        self._next_look = now + pause if erased.rowcount < AT_ONCE else now
