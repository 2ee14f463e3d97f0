"""What long work that keeps tables of its own needs of the database, asked before it begins."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.errors import FatalError, SchemaMissing
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models import CONTROL_SCHEMA

_ASK = text(f"""
    SELECT current_user AS role, current_setting('transaction_read_only') = 'on' AS read_only,
        (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = '{CONTROL_SCHEMA}') AS creates""")


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
