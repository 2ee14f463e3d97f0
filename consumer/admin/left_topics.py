"""Which topics the service has left for others that were created in their place, as resets tell."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations.operation import OF_GROUP, OPERATIONS
from neon_projector.consumer.admin.reset import COMMAND as RESET
from neon_projector.consumer.kafka.metadata import is_another
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.stored_json import json_of

RESETS = text(f"""
    SELECT id, finished_at, before, after, {OF_GROUP} AS is_own FROM {OPERATIONS}
    WHERE command = '{RESET}' AND jsonb_typeof(after) = 'object' ORDER BY id""")
"""The oldest first; of `:group_id` are those that are `is_own`."""


_LAST = text(f"""
    SELECT coalesce(max(id), 0) FROM {OPERATIONS}
    WHERE command = '{RESET}' AND jsonb_typeof(after -> 'recreated') = 'array' AND {OF_GROUP}""")


class Left(NamedTuple):
    """The reset with which the service has left a topic for the one that was created in its place, and when."""

    operation: int
    at: datetime


async def last_left(engine: AsyncEngine, group_id: str) -> int:
    """The number of the last reset with which a topic was left for the one that was created in its place; 0: none.
    Where it has risen, earlier positions are of topics that are gone."""
    with translated():
        async with engine.connect() as connection:
            return int((await connection.execute(_LAST, {"group_id": group_id})).scalar_one())


def left_topics(resets: Iterable[Any], topic_ids: Mapping[str, str | None]) -> dict[str, Left]:
    """By partition, as `topic:partition`. `topic_ids`: of the topics that are there, by name.

    Another group has written to the same tables: its reset into the topic that is there counts, too. A reset back to
    the beginning leaves no position that would tell the topic: it counts where another topic is there now, unless a
    later reset took that for the same one (`same`).
    """
    left, before_it = dict[str, Left](), dict[str, Left]()
    for row in resets:
        before, after, reset = json_of(row.before) or {}, json_of(row.after), Left(row.id, row.finished_at)
        ids = after.get("topic_ids", {})
        for name in after.get("recreated") or ():
            if row.is_own or ids.get(_topic(name), "") == topic_ids.get(_topic(name)):
                left[name] = reset
        for name in before if row.is_own else ():
            if before[name] and is_another(ids.get(_topic(name)), topic_ids.get(_topic(name))):
                before_it[name] = reset  # where it was at 0, nothing was read before it
            elif name in after.get("same", ()):
                before_it.pop(name, None)
    return {name: max(found[name] for found in (left, before_it) if name in found) for name in left | before_it}


def _topic(name: str) -> str:
    return name.rpartition(":")[0]
