"""A system with users and documents of its own that publishes by an outbox, as docs/outbox.md says."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from tests.support.documents import ROOT
from tests.support.servers import execute
from tests.support.world import World

EXAMPLES = ROOT / "docs" / "examples" / "outbox"
TABLES = """
CREATE TABLE users (
    id uuid PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL, is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1
);
CREATE TABLE documents (
    id uuid PRIMARY KEY, title text NOT NULL, content text, user_id uuid NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1
);
INSERT INTO users (id, email, name)
SELECT gen_random_uuid(), 'old' || n || '@example.com', 'there before' FROM generate_series(1, 40) n;
INSERT INTO documents (id, title, content, user_id) SELECT gen_random_uuid(), 'there before', 'x', id FROM users;
"""
"""With rows that were there before the outbox."""
OTHER_TOPICS = """
CREATE FUNCTION other_topic() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN NEW.aggregatetype := '{prefix}' || NEW.aggregatetype; RETURN NEW; END$$;
CREATE TRIGGER other_topic BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION other_topic();
"""
ROWS = {
    "users": "SELECT id, email, name, is_active, created_at, updated_at, version FROM users ORDER BY id",
    "documents": "SELECT id, title, content, user_id, created_at, updated_at, version FROM documents ORDER BY id",
}


async def make_tables(url: str, prefix: str = "") -> None:
    """The system's tables, and then its outbox. `prefix` comes before the topics' names."""
    await execute(url, TABLES, (EXAMPLES / "outbox.sql").read_text(), OTHER_TOPICS.format(prefix=prefix))


async def backfill(url: str) -> None:
    """Write events of what was there before the outbox."""
    await execute(url, (EXAMPLES / "backfill.sql").read_text())


async def tables(url: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of both tables, the source's or the service's."""
    connection = await asyncpg.connect(url)
    try:
        return {table: [dict(row) for row in await connection.fetch(query)] for table, query in ROWS.items()}
    finally:
        await connection.close()


async def tables_are_equal(url: str, world: World) -> None:
    """AssertionError names the table and what differs; called when the service has read everything."""
    source, projected = await tables(url), await tables(world.database_url)
    for table, rows in source.items():
        assert projected[table] == rows, f"{table} differ"
    assert await world.value("SELECT count(*) FROM projector.dead_letters") == 0
    assert await world.value("SELECT count(*) FROM projector.parked_events") == 0
    assert await world.value("SELECT count(*) FROM projector.absent_states WHERE reason <> 'deleted'") == 0


async def tables_become_equal(url: str, world: World) -> None:
    """Wait until they are."""
    deadline = asyncio.get_running_loop().time() + 120
    while await tables(url) != await tables(world.database_url) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.1)
    await tables_are_equal(url, world)


@dataclass(frozen=True)
class Changes:
    """Within a transaction of the caller: changes, each with its version and its event."""

    database: Any

    async def create(self, table: str, **values: Any) -> None:
        """The version goes on where the id was deleted before. INSERT waits for a deletion that is under way."""
        marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        await self.database.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", *values.values())
        await self.database.execute(
            f"UPDATE {table} SET version = d.version + 1 FROM deleted_versions d WHERE d.id = {table}.id AND d.id = $1",
            values["id"],
        )
        await self._publish_row(table, values["id"], "created")

    async def replace(self, table: str, entity: UUID, **values: Any) -> None:
        """A complete event."""
        if await self._update(table, entity, values):
            await self._publish_row(table, entity, "updated")

    async def change(self, table: str, entity: UUID, **values: Any) -> None:
        """A partial event."""
        if row := await self._update(table, entity, values):
            await self._publish(table, entity, "updated", {**values, **row})

    async def transfer(self, document: UUID, old: UUID, new: UUID) -> None:
        if row := await self._update("documents", document, {"user_id": new}):
            owners = {"from_user_id": str(old), "to_user_id": str(new)}
            await self._publish("documents", document, "ownership_transferred", {**owners, **row})

    async def delete(self, table: str, entity: UUID) -> None:
        """The number is kept, in case the id comes back."""
        version = await self.database.fetchval(f"DELETE FROM {table} WHERE id = $1 RETURNING version + 1", entity)
        if version is not None:
            await self.database.execute(
                "INSERT INTO deleted_versions VALUES ($1, $2) "
                "ON CONFLICT (id) DO UPDATE SET version = excluded.version",
                *(entity, version),
            )
            await self._publish(table, entity, "deleted", {"id": str(entity), "version": version})

    async def _update(self, table: str, entity: UUID, values: dict[str, Any]) -> dict[str, Any] | None:
        sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 2))
        query = (
            f"UPDATE {table} SET {sets}updated_at = clock_timestamp(), version = version + 1 WHERE id = $1 "
            "RETURNING id::text, version, updated_at"
        )
        row = await self.database.fetchrow(query, entity, *values.values())
        return row and {**row, "updated_at": row["updated_at"].isoformat()}

    async def _publish_row(self, table: str, entity: UUID, kind: str) -> None:
        query = f"SELECT to_jsonb({table})::text FROM {table} WHERE id = $1"
        await self._publish(table, entity, kind, json.loads(await self.database.fetchval(query, entity)))

    async def _publish(self, table: str, entity: UUID, kind: str, data: dict[str, Any]) -> None:
        await self.database.execute(
            "INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ($1, $2, $3, $4)",
            *(table, entity, f"{table[:-1]}.{kind}", json.dumps(data)),
        )
