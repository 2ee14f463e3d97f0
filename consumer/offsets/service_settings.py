"""Settings of the service that its commands must share: it writes them where its positions are, they read them there.

A command runs in an operator's shell, whose environment need not have the service's `EVENT_MAX_BYTES`,
`CONTRACT_STRICT` or `KAFKA_ISOLATION_LEVEL`. With another value a retry would reject, `verify` would miss, or `rebuild`
would take away what the service takes.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.models import CONTROL_SCHEMA

_TABLE = f"{CONTROL_SCHEMA}.service_settings"
_SHARED = ("event_max_bytes", "contract_strict", "kafka_isolation_level")
_WRITE = text(f"""
    INSERT INTO {_TABLE} AS s (group_id, {", ".join(_SHARED)}) VALUES (:group_id, {", ".join(f":{n}" for n in _SHARED)})
    ON CONFLICT (group_id) DO UPDATE SET {", ".join(f"{n} = excluded.{n}" for n in _SHARED)}, updated_at = now()
    WHERE ({", ".join(f"s.{n}" for n in _SHARED)}) IS DISTINCT FROM ({", ".join(f"excluded.{n}" for n in _SHARED)})""")
_READ = text(f"SELECT {', '.join(_SHARED)} FROM {_TABLE} WHERE group_id = :group_id")


async def write(connection: AsyncConnection, settings: Settings) -> None:
    """The service's own, in the transaction of a claim; of several instances those of the last one count."""
    values = {name: getattr(settings, name) for name in _SHARED}
    await connection.execute(_WRITE, {"group_id": settings.kafka_group_id, **values})


async def as_the_service(engine: AsyncEngine, settings: Settings) -> Settings:
    """`settings` with what the service of this group has; as they are where none has ever claimed a partition, or only
    one of an older version, which did not write all of them."""
    with translated():
        async with engine.connect() as connection:
            answer = await connection.execute(_READ, {"group_id": settings.kafka_group_id})
            found = answer.mappings().one_or_none()
    return settings.model_copy(update={name: value for name, value in (found or {}).items() if value is not None})
