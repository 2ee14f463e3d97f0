"""What one rebuild has to heal: a table of its own, `projector.operation_<id>_todo`, which the transactions that heal
keep. So a runner that was killed goes on with what is not done."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.admin.operations import left_behind
from neon_projector.models.control.waiting import PARKED_EVENTS
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.rebuild import seen_in
from neon_projector.projections.sql.verify.differences import DIFFERENCES
from neon_projector.projections.sql.verify.tables import Side

HEALED, MOVED, REFUSED, LOST = "healed", "moved", "refused", "lost"
"""What became of an entity: `moved` since the snapshot, so the next round looks again; `refused` by the database;
`lost`: Kafka no longer has a record of it."""
LEFT = (REFUSED, LOST)


class Group(NamedTuple):
    """How many of one kind differ in one table."""

    entity: str
    table: str
    kind: str
    number: int


class Pending(NamedTuple):
    """Of one entity: what stood for it in the snapshot, and the versions of the parked events that stay."""

    seen: bytes
    keeps: list[int]


class Choice(NamedTuple):
    """Which of the entities that differ are healed."""

    missing_only: bool = False
    """Only those of which nothing but `missing` was found."""
    unprovable: bool = False
    """Also those that the topics can't prove."""


class Entities(NamedTuple):
    """How many differ, have something that can't be proved and stays as it is, are ahead of the positions and stay as
    they are, and are chosen to be healed."""

    differing: int
    unproved: int
    ahead: int
    chosen: int


_GROUPS = text(f"""
    SELECT entity, table_name, kind, count(*) AS number FROM {DIFFERENCES} WHERE operation_id = :operation
    GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3""")
_BY_ENTITY = f"""
    SELECT entity, id, bool_or(kind = 'unprovable') AS has_unprovable,
        bool_or(kind = 'unprovable' AND table_name <> '{PARKED_EVENTS}') OR bool_and(kind = 'unprovable') AS unprovable,
        bool_or(kind = 'ahead') AS ahead, bool_and(kind = 'missing') AS only_missing
    FROM {DIFFERENCES} WHERE operation_id = :operation GROUP BY entity, id"""
"""`unprovable`: it can't be healed without touching what can't be proved. A parked event does not count: it stays
beside what is healed, and the service's own writers know what to do with it."""
_KEEPS = f"""
    SELECT id, array_agg(found_version) AS keeps FROM {DIFFERENCES}
    WHERE operation_id = :operation AND entity = :entity AND table_name = '{PARKED_EVENTS}' AND kind = 'unprovable'
        AND NOT CAST(:unprovable AS boolean) GROUP BY id"""
_CHOSEN = """NOT ahead AND (CAST(:unprovable AS boolean) OR NOT unprovable)
    AND (NOT CAST(:missing_only AS boolean) OR only_missing)"""
_ENTITIES = text(f"""
    SELECT count(*) FILTER (WHERE NOT ahead AND (NOT unprovable OR CAST(:unprovable AS boolean))) AS differing,
        count(*) FILTER (WHERE has_unprovable AND NOT CAST(:unprovable AS boolean)) AS unproved,
        count(*) FILTER (WHERE ahead) AS ahead,
        count(*) FILTER (WHERE {_CHOSEN}) AS chosen FROM ({_BY_ENTITY}) d""")
_THERE = text("SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(:name) AND attname = 'keeps')")
"""Also whether it is as this version makes it."""


class Todo:
    """The table of one operation. Every method works in the caller's transaction."""

    def __init__(self, operation_id: int, registry: Registry, side: Side) -> None:
        self._operation_id, self._registry, self._side = operation_id, registry, side
        self.table = left_behind.table_of(operation_id, "todo")
        self._pending = text(f"""
            SELECT id, seen, keeps FROM {self.table}
            WHERE round = :round AND entity = :entity AND id = ANY(CAST(:id AS uuid[])) AND outcome IS NULL""")
        self._first = text(f"""
            SELECT id, seen, keeps FROM {self.table} WHERE round = :round AND entity = :entity AND outcome IS NULL
            ORDER BY id LIMIT :most""")
        self._done = text(f"""
            UPDATE {self.table} SET outcome = :outcome
            WHERE round = :round AND entity = :entity AND id = ANY(CAST(:id AS uuid[])) AND outcome IS NULL""")
        self._again = text(f"""
            SELECT DISTINCT id FROM {self.table}
            WHERE round = :round AND outcome IN ('{HEALED}', '{MOVED}') LIMIT :most""")
        self._outcomes = text(f"""
            SELECT outcome, count(DISTINCT (entity, id)) AS number FROM {self.table}
            WHERE outcome IS NOT NULL AND (outcome <> '{HEALED}' OR (entity, id) NOT IN (
                SELECT entity, id FROM {self.table} WHERE outcome IS NULL)) GROUP BY 1""")

    async def is_there(self, connection: AsyncConnection) -> bool:
        return bool((await connection.execute(_THERE, {"name": self.table})).scalar_one())

    async def begin(self, connection: AsyncConnection) -> None:
        """Make it, empty."""
        await connection.execute(text(f"DROP TABLE IF EXISTS {self.table}"))
        await connection.execute(
            text(f"""
            CREATE TABLE {self.table} (
                round integer, entity text, id uuid, seen bytea, keeps bigint[], outcome text,
                PRIMARY KEY (round, entity, id))""")
        )

    async def fill(self, connection: AsyncConnection, number: int, choice: Choice) -> int:
        """Take in what a comparison has written down, for round `number`; returns how many entities."""
        count, values = 0, {"operation": self._operation_id, **choice._asdict()}
        for projection in self._registry:
            ids = f"SELECT id FROM ({_BY_ENTITY}) d WHERE entity = '{projection.entity}' AND {_CHOSEN}"
            if (await connection.execute(text(f"SELECT 1 FROM ({ids}) d LIMIT 1"), values)).first() is None:
                continue  # of what was not compared there are no tables
            insert = f"""
                INSERT INTO {self.table} (round, entity, id, seen, keeps)
                SELECT {number}, :entity, s.id, s.seen, coalesce(k.keeps, '{{}}')
                FROM ({seen_in(projection, self._side, ids)}) s LEFT JOIN ({_KEEPS}) k ON k.id = s.id"""
            count += (await connection.execute(text(insert), values | {"entity": projection.entity})).rowcount
        return count

    async def pending(
        self, connection: AsyncConnection, number: int, entity: str, ids: Iterable[UUID]
    ) -> dict[UUID, Pending]:
        """Those of `ids` that are still to be healed."""
        found = await connection.execute(self._pending, {"round": number, "entity": entity, "id": list(ids)})
        return {row.id: Pending(row.seen, row.keeps) for row in found}

    async def first(self, connection: AsyncConnection, number: int, entity: str, most: int) -> dict[UUID, Pending]:
        """Some that are still to be healed."""
        found = await connection.execute(self._first, {"round": number, "entity": entity, "most": most})
        return {row.id: Pending(row.seen, row.keeps) for row in found}

    async def done(
        self, connection: AsyncConnection, number: int, entity: str, ids: Collection[UUID], outcome: str
    ) -> None:
        if ids:
            values = {"round": number, "entity": entity, "id": list(ids), "outcome": outcome}
            await connection.execute(self._done, values)

    async def again(self, connection: AsyncConnection, number: int, most: int) -> list[UUID]:
        """The ids that the next round looks at: those that round `number` has healed, or that had moved. At most so
        many."""
        return [row.id for row in await connection.execute(self._again, {"round": number, "most": most})]

    async def outcomes(self, connection: AsyncConnection) -> Counter[str]:
        """How many entities had which outcome, in any round. What is found to differ again is not healed."""
        return Counter({row.outcome: row.number for row in await connection.execute(self._outcomes)})


async def groups(connection: AsyncConnection, operation_id: int) -> list[Group]:
    """What a verification found, by entity, table and kind."""
    return [Group(*row) for row in await connection.execute(_GROUPS, {"operation": operation_id})]


async def entities(connection: AsyncConnection, operation_id: int, choice: Choice) -> Entities:
    """How many entities a verification found."""
    values = {"operation": operation_id, **choice._asdict()}
    return Entities(*(await connection.execute(_ENTITIES, values)).one())
