"""Binds and reads times exactly: microseconds since 2000, the wire format of `timestamptz`."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.models.connection import Connection

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
FOREVER = 2**63 - 1
"""`infinity`; `-infinity` is -2^63."""


def bind_times_exactly(engine: AsyncEngine) -> None:
    """Let the engine's connections bind `timestamptz` exactly. `models.engine` calls it for each engine.

    The driver itself stores the first and the last possible time (0001-01-01T00:00:00Z, 9999-12-31T23:59:59.999999Z)
    as the infinities; this codec stores them as they are. It also takes half the time, 0.6 µs per event: the driver
    compares each value with both infinities and converts it to UTC, but our times are in UTC already. A time without a
    zone, which the driver takes for a local one, is refused.
    """
    event.listen(engine.sync_engine, "connect", lambda connection, _: connection.run_async(_bind_exactly))


async def _bind_exactly(connection: Connection) -> None:
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=to_wire, decoder=from_wire, format="tuple"
    )


def to_wire(time: datetime) -> tuple[int]:
    since = time - EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds,)


def from_wire(microseconds: tuple[int]) -> datetime:
    """A time in UTC. The infinities become the last and the first possible time, as in the driver."""
    (since,) = microseconds
    if since in (FOREVER, -FOREVER - 1):
        return (datetime.max if since > 0 else datetime.min).replace(tzinfo=UTC)  # noqa: DTZ901  the zone is added here
    return EPOCH + timedelta(microseconds=since)
