"""Counts what waits in the database: after commits, and never for more than a small part of the time."""

import asyncio
import logging
import time

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.errors import ProjectorError
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.state import ServiceState
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.models.control.waiting import DEAD_LETTERS
from neon_projector.projections.contract.outcome import Reason

log = logging.getLogger(__name__)

COUNT_PAUSE_SECONDS = 1.0
"""At most so often is it counted what waits; a commit is always followed by one count."""
COUNT_SHARE = 0.05
"""At most this part of the time is spent counting, where much waits."""

_PARKED_SINCE = f"(SELECT min(since) FROM {CONTROL_SCHEMA}.parked_events)"


def _age(reason: str) -> str:
    return f"extract(epoch FROM now() - min(since) FILTER (WHERE reason = '{reason}'))::float8"


_COUNT = text(f"""
    SELECT count(*) FILTER (WHERE reason = 'no_parent') AS parent,
        count(*) FILTER (WHERE reason = 'contested') AS contested,
        count(*) FILTER (WHERE reason = 'parent_deleted') AS hidden,
        count(*) FILTER (WHERE reason = 'refused') AS refused,
        (SELECT count(*) FROM {CONTROL_SCHEMA}.parked_events) AS version,
        {_age("no_parent")} AS parent_age, {_age("contested")} AS contested_age, {_age("refused")} AS refused_age,
        {_age("parent_deleted")} AS hidden_age, extract(epoch FROM now() - {_PARKED_SINCE})::float8 AS version_age,
        (SELECT coalesce(json_object_agg(reason, number), '{{}}') FROM (
            SELECT reason, count(*) AS number FROM {DEAD_LETTERS} WHERE status = 'new' GROUP BY reason) AS l
        )::text AS letters
    FROM {CONTROL_SCHEMA}.absent_states""")

PARKED = (("parent", "parent"), ("version", "version"), ("unique", "contested"), ("operator", "refused"))
"""What parked events and states wait for, as the metric's label says it and as it is counted."""
WAITS = ("parent", "version", "contested", "refused", "hidden")
"""Everything that is kept aside, by what it waits for."""


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
                self._show(row)
            await asyncio.sleep(max(COUNT_PAUSE_SECONDS, (time.monotonic() - started) / COUNT_SHARE))

    def _show(self, counted: RowMapping) -> None:
        metrics, state = self._metrics, self._state
        ages = {name: float(counted[f"{name}_age"] or 0) for name in WAITS}
        state.letters = orjson.loads(counted["letters"])
        state.waited, state.counted_at = ages, time.time()
        state.waiting = {name: counted[name] for name in WAITS} | {"dead_letters": sum(state.letters.values())}
        for label, name in PARKED:
            metrics.parked.labels(label).set(counted[name])
        metrics.hidden.set(counted["hidden"])
        for reason in {*Reason, *state.letters}:
            metrics.dead_letters.labels(reason).set(state.letters.get(reason, 0))
