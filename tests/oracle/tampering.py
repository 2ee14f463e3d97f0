"""Somebody changes tables by hand; each change says what `verify` must find."""

import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg

from tests.oracle.comparing import Found

TABLES = {"user": "users", "document": "documents", "comment": "comments"}
TEXTS = {"user": "name", "document": "title", "comment": "body"}
ABSENT, PARKED = "projector.absent_states", "projector.parked_events"
STATES = f"SELECT * FROM {ABSENT} WHERE entity = $1"
Expected = set[Found]


class Tampering:
    """Changes made by `connection`. An entity is touched only once; none where nothing is there to be changed."""

    def __init__(self, connection: asyncpg.Connection, rng: random.Random, entities: list[str]) -> None:
        self._connection, self._rng, self._entities = connection, rng, entities
        self._touched: set[UUID] = set()

    async def some(self) -> Expected:
        """One change of a random kind."""
        ways: list[Callable[[str], Awaitable[Expected]]] = [
            self.change_row, self.raise_row, self.delete_row, self.insert_row, self.show_deleted,
            self.change_state, self.raise_state, self.delete_state, self.insert_state, self.insert_state_of_shown,
            self.change_reason, self.change_wait, self.contest_nobody, self.delete_event,
            self.change_event, self.insert_event,
        ]  # fmt: skip
        return await self._rng.choice(ways)(self._rng.choice(self._entities))

    async def change_row(self, entity: str) -> Expected:
        if (row := await self._row(entity)) is None:
            return set()
        change = self._rng.choice([f"{TEXTS[entity]} = 'forged'", "updated_at = updated_at + interval '1 us'"])
        await self._do(f"UPDATE {TABLES[entity]} SET {change} WHERE id = $1", row)
        return {Found(TABLES[entity], row, "different", entity)}

    async def raise_row(self, entity: str) -> Expected:
        if (row := await self._row(entity)) is None:
            return set()
        await self._do(f"UPDATE {TABLES[entity]} SET version = version + 1 WHERE id = $1", row)
        return {Found(TABLES[entity], row, "different", entity)}

    async def delete_row(self, entity: str) -> Expected:
        """Foreign keys take its children with it."""
        if (row := await self._row(entity)) is None:
            return set()
        before = await self._ids()
        kept = {r["id"] for r in await self._connection.fetch(f"SELECT id FROM {ABSENT}")}
        transaction = self._connection.transaction()
        await transaction.start()
        await self._do(f"DELETE FROM {TABLES[entity]} WHERE id = $1", row)
        gone = before - await self._ids()
        if {i for _, i in gone} & (kept | (self._touched - {row})):
            await transaction.rollback()
            return set()
        await transaction.commit()
        self._touched |= {i for _, i in gone}
        return {Found(TABLES[e], i, "missing", e) for e, i in gone}

    async def insert_row(self, entity: str) -> Expected:
        new = self._new()
        return await self._insert(entity, new, Found(TABLES[entity], new, "unexpected", entity))

    async def show_deleted(self, entity: str) -> Expected:
        state = await self._state(entity, "deleted")
        if state is None:
            return set()
        return await self._insert(entity, state["id"], Found(TABLES[entity], state["id"], "unexpected", entity))

    async def change_state(self, entity: str) -> Expected:
        if (state := await self._state(entity, "no_parent", "parent_deleted", "contested")) is None:
            return set()
        edit = f"state = jsonb_set(state, '{{{TEXTS[entity]}}}', '\"forged\"')"
        return await self._edit(state, self._rng.choice([edit, "state = NULL", "state = '{}'"]))

    async def raise_state(self, entity: str) -> Expected:
        state = await self._state(entity, "no_parent", "parent_deleted", "contested", "deleted")
        return set() if state is None else await self._edit(state, "version = version + 1")

    async def delete_state(self, entity: str) -> Expected:
        state = await self._state(entity, "no_parent", "parent_deleted", "contested", "deleted")
        if state is None:
            return set()
        await self._do(f"DELETE FROM {ABSENT} WHERE id = $1", state["id"])
        return {Found(ABSENT, state["id"], "missing", entity)}

    async def insert_state(self, entity: str) -> Expected:
        new = self._new()
        await self._do(
            f"INSERT INTO {ABSENT} (entity, id, version, reason) VALUES ('{entity}', $1, 4, $2)",
            new, self._rng.choice(["deleted", "erased", "no_parent"]),
        )  # fmt: skip
        return {Found(ABSENT, new, "unexpected", entity)}

    async def insert_state_of_shown(self, entity: str) -> Expected:
        if (row := await self._row(entity)) is None:
            return set()
        await self._do(f"INSERT INTO {ABSENT} (entity, id, version, reason) VALUES ('{entity}', $1, 1, 'deleted')", row)
        return {Found(ABSENT, row, "unexpected", entity)}

    async def change_reason(self, entity: str) -> Expected:
        if (state := await self._state(entity, "no_parent", "parent_deleted", "contested", "deleted")) is None:
            return set()
        others = {"no_parent", "parent_deleted", "deleted", "refused"} - {state["reason"]}
        if state["reason"] == "contested":
            others.discard("refused")  # which the definition does not tell from it
        return await self._edit(state, f"reason = '{self._rng.choice(sorted(others))}'")

    async def change_wait(self, entity: str) -> Expected:
        state = await self._state(entity, "no_parent", "parent_deleted", "deleted")
        return set() if state is None else await self._edit(state, "waiting_for = gen_random_uuid()")

    async def contest_nobody(self, entity: str) -> Expected:
        """A user is kept aside for an address that nobody else has or wants."""
        if entity != "user" or (row := await self._row(entity)) is None:
            return set()
        if await self._connection.fetchval(
            f"SELECT EXISTS (SELECT FROM documents WHERE user_id = $1) OR "
            f"EXISTS (SELECT FROM {ABSENT} a JOIN users u ON a.state ->> 'email' = u.email WHERE u.id = $1)", row,
        ):  # fmt: skip
            return set()
        await self._do("SET TimeZone = 'UTC'")
        await self._do(
            f"WITH gone AS (DELETE FROM users WHERE id = $1 RETURNING *) INSERT INTO {ABSENT} "
            f"(entity, id, version, state, reason) SELECT 'user', id, version, to_jsonb(gone), 'contested' FROM gone",
            row,
        )
        return {Found(ABSENT, row, "different", entity)}

    async def delete_event(self, entity: str) -> Expected:
        if (event := await self._event(entity)) is None:
            return set()
        await self._do(f"DELETE FROM {PARKED} WHERE entity_id = $1 AND version = $2", *event)
        return {Found(PARKED, event[0], "missing", entity)}

    async def change_event(self, entity: str) -> Expected:
        if (event := await self._event(entity)) is None:
            return set()
        edit = self._rng.choice(["data = data || '{\"forged\": 1}'", "type = 'forged'", "data = '7'"])
        await self._do(f"UPDATE {PARKED} SET {edit} WHERE entity_id = $1 AND version = $2", *event)
        return {Found(PARKED, event[0], "different", entity)}

    async def insert_event(self, entity: str) -> Expected:
        new = self._new()
        await self._do(
            f"INSERT INTO {PARKED} (entity, entity_id, version, type, data, event_id, source, topic, partition, "
            f"\"offset\") VALUES ('{entity}', $1, 3, '{entity}.updated', '{{}}', 'e', 's', 't', 0, 0)", new,
        )  # fmt: skip
        return {Found(PARKED, new, "unexpected", entity)}

    async def _edit(self, state: Any, change: str) -> Expected:
        await self._do(f"UPDATE {ABSENT} SET {change} WHERE id = $1", state["id"])
        return {Found(ABSENT, state["id"], "different", state["entity"])}

    async def _insert(self, entity: str, new: UUID, found: Found) -> Expected:
        columns = {"user": "email, name", "document": "title, user_id", "comment": "body, document_id, author_id"}
        values = {"user": "gen_random_uuid() || '@forged.example', 'Forged'", "document": "'Forged', u.id",
                  "comment": "'Forged', d.id, d.user_id"}  # fmt: skip
        of = {"user": "(SELECT 1) o", "document": "users u", "comment": "documents d"}
        done = await self._connection.execute(
            f"INSERT INTO {TABLES[entity]} (id, created_at, updated_at, version, {columns[entity]}) "
            f"SELECT $1, now(), now(), 1, {values[entity]} FROM {of[entity]} LIMIT 1", new,
        )  # fmt: skip
        return {found} if done == "INSERT 0 1" else set()

    async def _row(self, entity: str) -> UUID | None:
        """One that is shown, and of which nothing is kept aside."""
        rows = await self._connection.fetch(
            f"SELECT id FROM {TABLES[entity]} t WHERE NOT EXISTS (SELECT FROM {ABSENT} a WHERE a.id = t.id) ORDER BY id"
        )
        return self._one([row["id"] for row in rows])

    async def _state(self, entity: str, *reasons: str) -> Any:
        rows = {row["id"]: row for row in await self._connection.fetch(f"{STATES} ORDER BY id", entity)}
        found = self._one([i for i, row in rows.items() if row["reason"] in reasons])
        return None if found is None else rows[found]

    async def _event(self, entity: str) -> tuple[UUID, int] | None:
        rows = await self._connection.fetch(
            f"SELECT entity_id, version FROM {PARKED} WHERE entity = $1 ORDER BY 1, 2", entity
        )
        found = self._one(sorted({row["entity_id"] for row in rows}))
        return next(((i, version) for i, version in map(tuple, rows) if i == found), None)

    def _one(self, ids: list[UUID]) -> UUID | None:
        if not (left := [i for i in ids if i not in self._touched]):
            return None
        found = self._rng.choice(left)
        self._touched.add(found)
        return found

    def _new(self) -> UUID:
        new = UUID(int=self._rng.getrandbits(128), version=4)
        self._touched.add(new)
        return new

    async def _ids(self) -> set[tuple[str, UUID]]:
        return {
            (e, row["id"])
            for e in self._entities
            for row in await self._connection.fetch(f"SELECT id FROM {TABLES[e]}")
        }

    async def _do(self, statement: str, *values: Any) -> None:
        await self._connection.execute(statement, *values)
