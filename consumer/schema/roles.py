"""The role with which applications read: its rights, as SQL for a person to run."""

from typing import Any

from sqlalchemy.dialects import postgresql

from neon_projector.models import CONTROL_SCHEMA, ENTITY_SCHEMA
from neon_projector.models.control import AbsentState, Change, DeadLetter, IntakeStop, Offset, ParkedEvent
from neon_projector.projections.registry import REGISTRY

READER = "projector_reader"
LONGEST_BYTES = 63
"""Postgres cuts longer names."""
NOT_FOR_ROLES = ("public", "none")
"""Also in quotes. psql goes on after the error of CREATE ROLE, to the rights."""

SEEN_BY_READERS: dict[Any, tuple[str, ...]] = {
    Offset: ("group_id", "topic", "partition", "next_offset"),
    ParkedEvent: ("topic", "partition", "offset"),
    DeadLetter: ("topic", "partition", "offset", "status"),
    IntakeStop: ("group_id", "topic", "except_topics"),
    AbsentState: ("entity", "id", "version", "reason"),
    Change: tuple(Change.model_fields),
}
"""What `wait_until_applied`, `wait_for_version` and `changed_since` read of the service's own tables: no content."""

_SQL = """\
-- The role that applications read with. Run this as the owner of the tables; running it again changes nothing. Give it
-- to the roles that log in: GRANT {reader} TO my_application;
DO {tag} BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {literal}) THEN
        CREATE ROLE {reader} NOLOGIN;
    END IF;
END {tag};
GRANT USAGE ON SCHEMA {schemas} TO {reader};
GRANT SELECT ON {tables} TO {reader};
-- what readers ask for that wait or follow: positions, reasons and ids, no content
{columns}
"""
_quote = postgresql.dialect().identifier_preparer.quote_identifier  # type: ignore[no-untyped-call]  # it has no types


def roles_sql(reader: str = READER) -> str:
    """SQL that makes the role `reader` if it is not there, and gives it all rights that it needs. It takes none away.

    Future tables are not granted (ALTER DEFAULT PRIVILEGES): in `public` they may be anybody's. ValueError for a name
    that is empty, too long or not printable, or that is not for roles: `GRANT … TO "public"` is to everybody.
    """
    if not reader.isprintable() or not 1 <= len(reader.encode()) <= LONGEST_BYTES:
        raise ValueError(f"a role's name has 1 to {LONGEST_BYTES} bytes, and no control characters")
    if reader in NOT_FOR_ROLES or reader.startswith("pg_"):
        raise ValueError("Postgres keeps public, none, and what begins with pg_, for itself")
    tag = "$roles$"
    while tag in reader:
        tag = f"${tag[1:-1]}_$"
    tables = (f"{ENTITY_SCHEMA}.{_quote(str(one.model.__tablename__))}" for one in REGISTRY)
    columns = (
        f"GRANT SELECT ({', '.join(map(_quote, names))}) ON {CONTROL_SCHEMA}.{model.__tablename__} TO {_quote(reader)};"
        for model, names in SEEN_BY_READERS.items()
    )
    return _SQL.format(
        reader=_quote(reader),
        literal="'" + reader.replace("'", "''") + "'",
        tag=tag,
        schemas=f"{ENTITY_SCHEMA}, {CONTROL_SCHEMA}",
        tables=", ".join(tables),
        columns="\n".join(columns),
    )
