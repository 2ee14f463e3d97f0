"""Compares the events of one file with each other, in few bytes for each."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.checking.story import Newest, Seen, Versions, told
from neon_projector.projections.checking.warnings import DELETED_OWNER, HELD, UNKNOWN_OWNER
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import PARTIAL, TIMES, Projection, Registry

_LONG = 64
"""Characters: of a longer text only a hash is kept."""


class Entity(NamedTuple):
    """Whose events these are."""

    entity: str
    id: UUID


class Across:
    """Give it each event with its line, then ask for what does not go together."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._seen: dict[Entity, Versions] = {}

    def add(self, line: int, event: Event) -> None:
        """Take the event in. A complete one that is sent again takes no room."""
        versions = self._seen.setdefault(Entity(event.entity, UUID(int=event.id.int)), {})
        this = Seen(line, event.kind, _short(event.fields), _short(event.expects))
        there = versions.setdefault(event.version, this)
        if there is this:
            return
        contents = there if isinstance(there, list) else [there]
        first = contents[0]
        if first.kind is PARTIAL or first[1:] != this[1:]:  # a partial one may be refused, each time
            versions[event.version] = contents
            contents.append(this)

    def end(self) -> Iterator[Problem]:
        """All warnings, when every event was given."""
        newest: dict[Entity, Newest] = {}
        for entity, versions in self._seen.items():
            newest[entity] = state = Newest()
            yield from told(versions, state)
        for projection in self._registry:
            yield from self._without_parents(projection, newest)
            for column in projection.unique:
                yield from _held_twice(projection, column, newest)

    def _without_parents(self, projection: Projection, newest: Mapping[Entity, Newest]) -> Iterator[Problem]:
        said = set[tuple[str, UUID]]()
        for parent in projection.parents:
            for line, value in _values(projection, parent.column, newest):
                owner = newest.get(Entity(parent.entity, value))
                if (parent.entity, value) in said or (owner is not None and not owner.deleted):
                    continue
                said.add((parent.entity, value))
                warned, other = (UNKNOWN_OWNER, None) if owner is None else (DELETED_OWNER, owner.line)
                yield warned.at(line, other, column=parent.column, entity=parent.entity)


def _held_twice(projection: Projection, column: str, newest: Mapping[Entity, Newest]) -> Iterator[Problem]:
    holders: dict[Any, int] = {}
    for line, value in _values(projection, column, newest):
        first = holders.setdefault(value, line)
        if first != line:
            yield HELD.at(max(first, line), min(first, line), column=column, entity=projection.entity)


def _values(projection: Projection, column: str, newest: Mapping[Entity, Newest]) -> Iterator[tuple[int, Any]]:
    """The newest values of a column, as far as the file tells them, each with its line."""
    for entity, state in newest.items():
        if entity.entity == projection.entity and column in state.columns:
            yield state.columns[column]


def _short(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What is compared: no times, as the fold compares none."""
    return {name: _key(value) for name, value in fields.items() if name not in TIMES}


def _key(value: Any) -> Any:
    if hasattr(value, "int") and not isinstance(value, UUID):
        return UUID(int=value.int)  # the driver's own kind of UUID
    return hash(value) if isinstance(value, str) and len(value) > _LONG else value
