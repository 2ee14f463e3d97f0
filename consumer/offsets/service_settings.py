"""Settings of the service that its commands must share: it writes them where its positions are, they read them there.

A command runs in an operator's shell, whose environment need not have the service's `EVENT_MAX_BYTES`. With another
value a retry would reject, or `verify` would miss, what the service takes.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.models import CONTROL_SCHEMA

_TABLE = f"{CONTROL_SCHEMA}.service_settings"
_WRITE = text(f"""
    INSERT INTO {_TABLE} AS s (group_id, event_max_bytes) VALUES (:group_id, :event_max_bytes)
    ON CONFLICT (group_id) DO UPDATE SET event_max_bytes = excluded.event_max_bytes, updated_at = now()
    WHERE s.event_max_bytes <> excluded.event_max_bytes""")
_READ = text(f"SELECT event_max_bytes FROM {_TABLE} WHERE group_id = :group_id")


async def write(connection: AsyncConnection, settings: Settings) -> None:
    """The service's own, in the transaction of a claim; of several instances those of the last one count."""
    values = {"group_id": settings.kafka_group_id, "event_max_bytes": settings.event_max_bytes}
    await connection.execute(_WRITE, values)


async def as_the_service(engine: AsyncEngine, settings: Settings) -> Settings:
    """`settings` with what the service of this group has; as they are where none has ever claimed a partition."""
    with translated():
        async with engine.connect() as connection:
            found = (await connection.execute(_READ, {"group_id": settings.kafka_group_id})).scalar_one_or_none()
    return settings if found is None else settings.model_copy(update={"event_max_bytes": found})
