"""What keeps `projector migrate` from its work, said in one line before anything is changed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.errors import FatalError
from neon_projector.models import CONTROL_SCHEMA, ENTITY_SCHEMA
from neon_projector.models.base import VERSION_TABLE
from neon_projector.models.control import ALL_METADATA

VERSIONS = f"{CONTROL_SCHEMA}.{VERSION_TABLE}"

_SERVER = text("""
    SELECT current_user AS role, current_database() AS database,
        pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
        has_database_privilege(current_database(), 'CREATE') AS creates""")
_SCHEMAS = text("""
    SELECT nspname AS name, pg_get_userbyid(nspowner) AS owner, has_schema_privilege(oid, 'USAGE') AS uses,
        has_schema_privilege(oid, 'CREATE') AS creates
    FROM pg_namespace WHERE nspname = ANY(CAST(:names AS text[]))""")
_RELATIONS = text("""
    SELECT n.nspname || '.' || c.relname AS name, c.relname AS plain, pg_get_userbyid(c.relowner) AS owner,
        pg_has_role(c.relowner, 'USAGE') AS ours, has_table_privilege(c.oid, 'SELECT') AS readable
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = ANY(CAST(:names AS text[])) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')""")
"""By the catalogs: `to_regclass` fails where the role may not use the schema."""


def _ours() -> list[str]:
    tables = [table for metadata in ALL_METADATA for table in metadata.sorted_tables]
    return [f"{table.schema or ENTITY_SCHEMA}.{table.name}" for table in tables]


@dataclass(frozen=True)
class Obstacles:
    """What the role finds in the database."""

    server: Any
    schemas: dict[str, Any]
    relations: dict[str, Any]

    def to_read(self) -> None:
        """FatalError where it can't be told how the schema stands."""
        schema, versions = self.schemas.get(CONTROL_SCHEMA), self.relations.get(VERSIONS)
        role = self.server.role
        if schema is not None and not schema.uses:
            raise FatalError(
                f"the role {role} may not use the schema {CONTROL_SCHEMA}, which belongs to {schema.owner}: "
                f"GRANT USAGE, CREATE ON SCHEMA {CONTROL_SCHEMA} TO {role}"
            )
        if versions is not None and not versions.readable:
            raise FatalError(f"the role {role} may not read {VERSIONS}, which belongs to {versions.owner}")

    def to_create(self) -> None:
        """FatalError where nothing can be made: for a database where nothing of ours is."""
        self._to_write()
        found = [self.relations[name] for name in _ours() if name in self.relations]
        if found:
            names = ", ".join(f"{one.name} (of role {one.owner})" for one in found)
            raise FatalError(
                f"there is already {names}, which projector migrate did not make: rename it, or move it to another "
                "schema, or give the service a database of its own"
            )

    def to_change(self) -> None:
        """FatalError where ours can't be altered: for a database where an older revision is."""
        self._to_write()
        owners = {one.owner for name in _ours() if (one := self.relations.get(name)) is not None and not one.ours}
        if owners:
            raise FatalError(
                f"tables of the service belong to {', '.join(sorted(owners))}, and only their owner may change them: "
                f"migrate as that role, not as {self.server.role}"
            )

    def to_go_on(self) -> None:
        """FatalError where the newest revision is recorded, but a table is not where it should be."""
        for name in _ours():
            if name not in self.relations:
                plain = name.partition(".")[2]
                elsewhere = sorted(one.name for one in self.relations.values() if one.plain == plain)
                hint = f" (there is {', '.join(elsewhere)}: ALTER TABLE … SET SCHEMA)" if elsewhere else ""
                raise FatalError(f"the newest revision is recorded in {VERSIONS}, but {name} is not there{hint}")

    def _to_write(self) -> None:
        role, database = self.server.role, self.server.database
        if self.server.read_only:
            raise FatalError("this server takes no writes: it is a standby, or read only. Migrate on the primary")
        if CONTROL_SCHEMA not in self.schemas and not self.server.creates:
            raise FatalError(
                f"the role {role} may not create the schema {CONTROL_SCHEMA}: GRANT CREATE ON DATABASE {database} "
                f"TO {role}"
            )
        if ENTITY_SCHEMA not in self.schemas:
            raise FatalError(f"the database {database} has no schema {ENTITY_SCHEMA}: CREATE SCHEMA {ENTITY_SCHEMA}")
        for schema in self.schemas.values():
            if not (schema.creates and schema.uses):
                raise FatalError(
                    f"the role {role} may not create tables in the schema {schema.name}, which belongs to "
                    f"{schema.owner}: GRANT USAGE, CREATE ON SCHEMA {schema.name} TO {role}"
                )


async def obstacles(engine: AsyncEngine) -> Obstacles:
    """Look what is there. Nothing is changed, and nothing but the catalogs is read."""
    names = [*{name.partition(".")[2] for name in _ours()}, VERSION_TABLE]
    async with engine.connect() as connection:
        server = (await connection.execute(_SERVER)).one()
        schemas = (await connection.execute(_SCHEMAS, {"names": [CONTROL_SCHEMA, ENTITY_SCHEMA]})).all()
        relations = (await connection.execute(_RELATIONS, {"names": names})).all()
    return Obstacles(server, {row.name: row for row in schemas}, {row.name: row for row in relations})
