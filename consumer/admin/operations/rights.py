"""What long work that compares the tables needs of the database and of the settings, asked before it begins."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations import lookup
from neon_projector.consumer.errors import FatalError, Refused, SchemaMissing
from neon_projector.consumer.offsets.store import OFFSETS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import NOT_A_GROUP
from neon_projector.models import CONTROL_SCHEMA

_ASK = text(f"""
    SELECT current_user AS role, current_setting('transaction_read_only') = 'on' AS read_only,
        (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = '{CONTROL_SCHEMA}') AS creates""")
_GROUPS = text(f"""
    SELECT DISTINCT group_id FROM {OFFSETS} WHERE NOT starts_with(group_id, '{NOT_A_GROUP}') ORDER BY 1""")


async def require_group(engine: AsyncEngine, group_id: str) -> None:
    """Refused where only other groups have positions here: with the wrong KAFKA_GROUP_ID nothing has been read, and
    every row would be unexpected."""
    with translated():
        async with engine.connect() as connection:
            groups = list((await connection.execute(_GROUPS)).scalars())
    if groups and group_id not in groups:
        raise Refused(f"the service here has KAFKA_GROUP_ID={' or '.join(groups)}, and yours is {group_id}")


async def require_same_group(engine: AsyncEngine, group_id: str, operation_id: int) -> None:
    """Refused where that operation is of another group: its positions would be others. An older version did not write
    the group down of every operation."""
    row = await lookup.shown(engine, operation_id)
    if (group := (row["filter"] or {}).get("group_id", group_id)) != group_id:
        raise Refused(f"operation {operation_id} is of the group {group}, and KAFKA_GROUP_ID is {group_id}")


async def require_tables(engine: AsyncEngine) -> None:
    """FatalError, which says what to do, where the server takes no writes (pg_is_in_recovery or read-only: PostgreSQL
    manual, Hot Standby), or where the role may not create tables beside the service's."""
    with translated():
        async with engine.connect() as connection:
            row = (await connection.execute(_ASK)).one()
    why = "this command keeps tables of its own while it works"
    if row.read_only:
        raise FatalError(f"{why}, and the server takes no writes: NEON_DATABASE_URL must name the primary")
    if row.creates is None:
        raise SchemaMissing
    if not row.creates:
        grant = f"GRANT CREATE ON SCHEMA {CONTROL_SCHEMA} TO {row.role}"
        raise FatalError(f"{why}, and the role {row.role} may not create them: use the service's own, or {grant}")
