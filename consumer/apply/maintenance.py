"""Removes what is over its time: hidden states after the grace, resolved dead letters, old rows of the change log.

All run inside transactions that apply records anyway, so they need no connection and no timer of their own.
"""

import math
import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.lock import LOCK_KEY
from neon_projector.models.change_log import CHANGES
from neon_projector.models.control.waiting import DEAD_LETTERS
from neon_projector.projections.sql.parts import ABSENT

LOOK_SECONDS = 60.0
"""Hidden states are looked for at most this often."""
LETTERS_LOOK_SECONDS = 600.0
"""Old letters, and old rows of the change log, are looked for at most this often."""
LETTERS_KEPT_DAYS = 30
AT_ONCE = 10_000
"""At most so many rows of each kind in one transaction."""
CHANGES_KEPT_HOURS = 7 * 24
FORGET_KEY = LOCK_KEY + 2
"""The key of a lock that the deletion from the change log holds. Nobody waits for it."""

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

_FORGET = text(f"""
    WITH oldest AS MATERIALIZED (
        SELECT ctid, row_number() OVER in_order AS place, lead(at) OVER in_order AS next_at FROM {CHANGES}
        WHERE xid < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
            AND pg_try_advisory_xact_lock({FORGET_KEY})
        WINDOW in_order AS (ORDER BY xid, number)
        ORDER BY xid, number LIMIT :at_once + 1)
    DELETE FROM {CHANGES} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM oldest WHERE place < (
            SELECT min(place) FROM oldest
            WHERE next_at IS NULL OR next_at >= now() - make_interval(hours => :hours) OR place > :at_once)))""")
"""Deletes from the beginning and leaves no gap: a follower that finds the row which it has read last has missed nothing
behind it. So two never do it at the same time. A row stays for as long as the one behind it is not over its time: until
that came, it was the newest, and even who asks every second has read it last."""


class Maintenance:
    """Erases states that have been hidden for `grace` seconds, deletes letters that were resolved long ago, and rows
    that are older than `changes_kept` hours in the change log.

    All go by the database's clock. An erased state leaves a tombstone. While more is due than one transaction takes,
    the next transaction continues.
    """

    def __init__(self, grace: float, changes_kept: int = CHANGES_KEPT_HOURS) -> None:
        """`grace` in seconds; infinite: nothing is erased or deleted, as for a command, which leaves that to the
        service and its settings."""
        self._grace, self._changes_kept = grace, changes_kept
        self._next_erasure = self._next_pruning = self._next_forgetting = math.inf if math.isinf(grace) else 0.0

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
        if now >= self._next_forgetting:
            values = {"hours": self._changes_kept, "at_once": AT_ONCE}
            forgotten = await connection.execute(_FORGET, values)
            self._next_forgetting = now + LETTERS_LOOK_SECONDS if forgotten.rowcount < AT_ONCE else now
