"""What a projection declares: its table, topic, event types, parents and unique columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import String, Table
from sqlmodel import SQLModel

from neon_projector.models import ENTITY_SCHEMA

Fields = Mapping[str, Any]
"""Columns and their values."""


class Kind(Enum):
    """What an event tells of its entity."""

    COMPLETE = "complete"
    """The whole state."""
    PARTIAL = "partial"
    """A change to the state of the version before."""
    DELETED = "deleted"
    """That it is no more; complete as well."""


COMPLETE, PARTIAL, DELETED = Kind.COMPLETE, Kind.PARTIAL, Kind.DELETED
"""For the hot path: an enumeration's members are looked up in 0.07 µs each time."""


@dataclass(frozen=True)
class EventType:
    """One `type` of the contract. `schema` is the TypedDict of its `data`; unknown fields are ignored."""

    name: str
    kind: Kind
    schema: type
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Values of fields that may be absent from a complete event."""
    renames: Mapping[str, str] = field(default_factory=dict)
    """Fields of `data` that set a column of another name."""
    expects: Mapping[str, str] = field(default_factory=dict)
    """Fields of `data` that say what a column held at the version before."""
    complete_as: str | None = None
    """The event type as which a partial event is read when its data literally has every field of that."""
    changes: frozenset[str] = frozenset()
    """Of these fields a partial event has at least one."""

    @cached_property
    def adapter(self) -> TypeAdapter[dict[str, Any]]:
        return TypeAdapter(self.schema)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(get_type_hints(self.schema))

    @cached_property
    def width(self) -> int:
        """How many fields there are at most, besides `id` and `version`."""
        return len(self.names) - 2

    @cached_property
    def times(self) -> tuple[str, ...]:
        """The fields that default to the event's own `time`."""
        return tuple(name for name in ("created_at", "updated_at") if name in self.names)

    def data_of(self, entity_id: UUID, version: int, fields: Fields, expects: Fields) -> dict[str, Any]:
        """The contract's `data` of an event of this type, from the columns it was turned into."""
        names = {column: name for name, column in self.renames.items()}
        data = {names.get(column, column): value for column, value in fields.items()}
        data |= {name: expects[column] for name, column in self.expects.items()}
        return {"id": entity_id, "version": version, **data}


@dataclass(frozen=True)
class Parent:
    """An entity this one belongs to, by which column."""

    entity: str
    column: str


@dataclass(frozen=True)
class Projection:
    """One entity: how its events become rows of `model`'s table."""

    entity: str
    model: type[SQLModel]
    topic_setting: str
    default_topic: str
    event_types: tuple[EventType, ...]
    parents: tuple[Parent, ...] = ()
    unique: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    """Fields that a publisher may send by mistake, and that are never kept."""

    @cached_property
    def table(self) -> Table:
        table = self.model.__table__  # type: ignore[attr-defined]
        assert isinstance(table, Table)
        return table

    @cached_property
    def table_name(self) -> str:
        """The table's name in SQL, with its schema: `search_path` has no say in which table is written."""
        return f"{self.table.schema or ENTITY_SCHEMA}.{self.table.name}"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.columns)

    @cached_property
    def changeable(self) -> tuple[str, ...]:
        """The columns that partial events set and that nothing else depends on: no unique one, and none of a parent."""
        tied = {"id", "version", *self.unique, *(parent.column for parent in self.parents)}
        partial = {name for event_type in self.event_types if event_type.kind is PARTIAL for name in event_type.names}
        return tuple(column for column in self.columns if column in partial - tied)

    @cached_property
    def carried(self) -> tuple[str, ...]:
        """The columns whose stored values may be of any length, and that nothing but a newer value depends on: texts
        without a length. They never leave the database (`projections.sql.carried`)."""
        tied = {*self.unique, *(c for t in self.event_types for c in (*t.renames.values(), *t.expects.values()))}
        return tuple(
            column.name
            for column in self.table.columns
            if isinstance(column.type, String) and column.type.length is None and column.name not in tied
        )


class Registry:
    """All projections, parents before children."""

    def __init__(self, *projections: Projection) -> None:
        self._by_entity: dict[str, Projection] = {}
        for projection in projections:
            missing = [p.entity for p in projection.parents if p.entity not in self._by_entity]
            if missing:
                raise ValueError(f"{projection.entity}: its parents {missing} must be listed before it")
            if projection.parents and projection.unique:
                raise ValueError(f"{projection.entity}: unique columns of an entity with parents can't be settled")
            self._by_entity[projection.entity] = projection
        self.event_types: dict[str, tuple[Projection, EventType]] = {
            event_type.name: (projection, event_type)
            for projection in projections
            for event_type in projection.event_types
        }

    def __iter__(self) -> Iterator[Projection]:
        return iter(self._by_entity.values())

    def __getitem__(self, entity: str) -> Projection:
        return self._by_entity[entity]

    def children_of(self, entity: str) -> list[tuple[Projection, Parent]]:
        """The projections that have `entity` as a parent, with the column that says so."""
        return [(child, parent) for child in self for parent in child.parents if parent.entity == entity]
