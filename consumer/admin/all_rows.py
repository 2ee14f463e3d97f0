"""Commands that tell what is not there must see all rows. Asked before they look."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.errors import FatalError
from neon_projector.consumer.recovery.translate import translated
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.projections.contract.projection import Registry

_READS_FOR_US = """p.polrelid = c.oid AND p.polcmd IN ('*', 'r') AND EXISTS (
        SELECT FROM unnest(p.polroles) AS r(role)
        WHERE CASE r.role WHEN 0 THEN true ELSE pg_has_role(r.role, 'USAGE') END)"""
_HIDING = text(f"""
    SELECT n.nspname || '.' || c.relname AS table, current_user AS role
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname || '.' || c.relname = ANY(CAST(:tables AS text[]))
            OR n.nspname = '{CONTROL_SCHEMA}' AND c.relname !~ '^operation_[0-9]')
        AND c.relrowsecurity AND row_security_active(c.oid)
        AND NOT (EXISTS (SELECT FROM pg_catalog.pg_policy p
                WHERE {_READS_FOR_US} AND p.polpermissive AND pg_get_expr(p.polqual, c.oid) = 'true')
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE {_READS_FOR_US} AND NOT p.polpermissive))
    ORDER BY 1""")
"""Permissive policies are joined by OR, restrictive ones by AND (PostgreSQL manual, Row Security Policies)."""


async def require_all_rows(engine: AsyncEngine, registry: Registry) -> None:
    """FatalError, which says what to do, where row-level security may hide rows from the role: they would be called
    missing, or deleted by hand."""
    with translated():
        async with engine.connect() as connection:
            values = {"tables": [projection.table_name for projection in registry]}
            hiding = (await connection.execute(_HIDING, values)).all()
    if hiding:
        role, tables = hiding[0].role, ", ".join(row.table for row in hiding)
        raise FatalError(
            f"row-level security may hide rows of {tables} from the role {role}, and what is hidden would be taken for "
            f"missing: use a role that sees all, or ALTER ROLE {role} BYPASSRLS, or give it a policy USING (true)"
        )
