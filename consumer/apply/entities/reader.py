"""Reads what is stored of one entity type. Each method is one statement for all ids, or none if there are no ids."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.errors import TooLarge
from neon_projector.projections.contract.projection import Projection
from neon_projector.projections.sql.statements import Statements
from neon_projector.projections.state.fold import State
from neon_projector.projections.state.kept import Kept

MOST_STORED = 64 * 1024 * 1024
"""Bytes of stored values that one statement may hash and copy."""
ANY_SIZE = 2**63 - 1

GONE = ("deleted", "erased")
"""The reasons of tombstones."""


class Look(NamedTuple):
    """How stored values of carried columns are read (`projections.sql.carried`)."""

    most: int = ANY_SIZE
    """Read up to this many bytes together; more is TooLarge. One entity cannot be divided."""
    compared: Collection[UUID] = ()
    """The entities with events that set such a column, so that its stored value has to be compared."""

    def values(self, ids: list[UUID]) -> dict[str, Any]:
        """The parameters of the statements that load `ids`."""
        return {"id": ids, "most": self.most, "compared": list(self.compared)}

    def check(self, stored_bytes: int) -> None:
        """Raise TooLarge if there was more to load. The statement has then loaded nothing."""
        if stored_bytes > self.most:
            raise TooLarge


class EntityReader:
    """Reads rows, states kept aside, and who holds which unique value."""

    def __init__(self, projection: Projection, sql: Statements) -> None:
        self._projection, self._sql = projection, sql

    async def lock(self, connection: AsyncConnection, ids: list[UUID]) -> None:
        """Call it before a deletion: from then on no new row can refer to these."""
        if ids:
            await connection.execute(self._sql.lock, {"id": ids})

    async def load(self, connection: AsyncConnection, ids: list[UUID], look: Look) -> dict[UUID, State]:
        """The rows of `ids` that exist, locked against changes. TooLarge as `look` says."""
        found = await connection.execute(self._sql.load, self._parameters(ids, look))
        names, states = tuple(found.keys()), {}
        for row in found:  # a mapping of each costs 5 µs more
            fields = dict(zip(names, row, strict=True))
            own = fields.pop("changed_by_triggers")
            look.check(fields.pop("stored_bytes", 0))
            states[fields.pop("id")] = self._state(fields.pop("version"), fields, changed=own)
        return states

    async def load_absent(self, connection: AsyncConnection, ids: list[UUID], look: Look) -> dict[UUID, State]:
        """The states of `ids` that are kept aside. TooLarge as in `load`."""
        columns = [c for c in self._projection.columns if c not in ("id", "version")]
        states = {}
        for row in (await connection.execute(self._sql.load_absent, self._parameters(ids, look))).mappings():
            look.check(row.get("stored_bytes", 0))
            fields = None if row["reason"] in GONE else {c: row[f"state_{c}"] for c in columns}
            states[row["entity_id"]] = self._state(
                row["at_version"], fields, erased=row["reason"] == "erased", changed=row["changed_by_triggers"]
            )
        return states

    async def holders(self, connection: AsyncConnection, column: str, values: Collection[Any]) -> dict[Any, UUID]:
        """Which entity has which of these `values` of a unique column. Locks their rows."""
        found = await connection.execute(self._sql.holders[column], {"value": list(values)})
        return {row.value: row.id for row in found}

    async def cannot_all_have(self, connection: AsyncConnection, column: str, wanted: Mapping[UUID, Any]) -> bool:
        """Whether two of these want the same value of a unique column, or another entity has one. Locks nothing, and
        gives the server no error to log."""
        values = set(wanted.values())
        if len(values) < len(wanted):
            return True
        found = await connection.execute(self._sql.seen_holders[column], {"value": list(values)})
        return any(wanted.get(row.id) != row.value for row in found)

    async def contested(
        self, connection: AsyncConnection, freeing: Collection[UUID], holders: Collection[UUID] = ()
    ) -> set[UUID]:
        """The contested entities that wait for one of `freeing`, and those of `holders` that want another value
        themselves."""
        if not (freeing or holders) or not self._projection.unique:
            return set()
        values = {"id": list(freeing), "holder": list(holders)}
        return {row.id for row in await connection.execute(self._sql.contested_by, values)}

    def _parameters(self, ids: list[UUID], look: Look) -> dict[str, Any]:
        return look.values(ids) if self._projection.carried else {"id": ids}

    def _state(self, version: int, fields: dict[str, Any] | None, *, changed: bool, erased: bool = False) -> State:
        if fields is not None:
            fields |= {c: Kept(fields[c], version) for c in self._projection.carried if fields[c] is not None}
        return State(version, fields, erased, changed)
