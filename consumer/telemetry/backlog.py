"""Counts what waits in the database: after commits, and never for more than a small part of the time."""

import asyncio
import logging
import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.errors import ProjectorError
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.state import ServiceState
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.control.waiting import DEAD_LETTERS

log = logging.getLogger(__name__)

COUNT_PAUSE_SECONDS = 1.0
"""At most so often is it counted what waits; a commit is always followed by one count."""
COUNT_SHARE = 0.05
"""At most this part of the time is spent counting, where much waits."""

_COUNT = text(f"""
    SELECT count(*) FILTER (WHERE reason = 'no_parent') AS parent,
        count(*) FILTER (WHERE reason = 'contested') AS contested,
        count(*) FILTER (WHERE reason = 'parent_deleted') AS hidden,
        count(*) FILTER (WHERE reason = 'refused') AS refused,
        (SELECT count(*) FROM {CONTROL_SCHEMA}.parked_events) AS version,
        (SELECT count(*) FROM {DEAD_LETTERS} WHERE status = 'new') AS dead_letters,
        coalesce(extract(epoch FROM now() - least(
            min(since) FILTER (WHERE reason IN ('no_parent', 'contested', 'refused')),
            (SELECT min(since) FROM {CONTROL_SCHEMA}.parked_events))), 0) AS oldest
    FROM {CONTROL_SCHEMA}.absent_states""")

_PARKED = (("parent", "parent"), ("version", "version"), ("unique", "contested"), ("operator", "refused"))
"""What parked events and states wait for, as the metric's label says it and as it is counted."""


class Backlog:
    """Keeps the numbers of what waits in metrics and state."""

    def __init__(self, engine: AsyncEngine, metrics: Metrics, state: ServiceState) -> None:
        self._engine, self._metrics, self._state = engine, metrics, state
        self._to_count = asyncio.Event()

    def recount(self) -> None:
        """Count soon."""
        self._to_count.set()

    async def count(self) -> None:
        """After each `recount`, count what waits, until cancelled."""
        while True:
            await self._to_count.wait()
            self._to_count.clear()
            started = time.monotonic()
            try:
                with translated():
                    async with self._engine.connect() as connection:
                        row = (await connection.execute(_COUNT)).one()._mapping
            except ProjectorError as error:
                log.debug("counting what waits failed", extra={"error": str(error)})
            else:
                self._show({name: float(value) for name, value in row.items()})
            await asyncio.sleep(max(COUNT_PAUSE_SECONDS, (time.monotonic() - started) / COUNT_SHARE))

    def _show(self, counted: dict[str, float]) -> None:
        metrics = self._metrics
        for label, name in _PARKED:
            metrics.parked.labels(label).set(counted[name])
        metrics.oldest_parked.set(counted["oldest"])
        metrics.hidden.set(counted["hidden"])
        metrics.dead_letters.set(counted["dead_letters"])
        self._state.waiting = {name: int(value) for name, value in counted.items() if name != "oldest"}
