"""What comes of events: the tables, and what waits."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.checking.warnings import (
    DELETED_OWNER,
    GAP,
    HELD,
    NO_BASE,
    UNKNOWN_OWNER,
    WAITING_OWNER,
)
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.state.fold import State
from neon_projector.projections.state.memory import Known, Memory, Row, row_of


class Waiting(NamedTuple):
    """A state, or a partial event, that no table shows yet."""

    event: int
    """The number of the event, the first is 1."""
    entity: str
    id: UUID
    version: int
    reason: str
    """As the warning is named: `no_base` or `gap` (a partial event), `unknown_owner`, `deleted_owner`, `waiting_owner`,
    `address_held`."""
    row: Row
    """The columns that it would show or change."""


class Tables(dict[str, list[Row]]):
    """By the table's name (`users`, `documents`) its rows, in the order in which the entities first came."""

    waiting: list[Waiting]
    """What waits, or is hidden with its owner."""


def tables_of(registry: Registry, memory: Memory) -> tuple[Tables, list[Problem]]:
    """The tables, and for each that waits why, and what to do about it."""
    tables = Tables({projection.table.name: [*memory.rows(projection)] for projection in registry})
    found = [one for projection in registry for one in _waiting(memory, projection)]
    tables.waiting = sorted((waiting for waiting, _ in found), key=lambda one: one.event)
    return tables, [problem for _, problem in found if problem is not None]


def _waiting(memory: Memory, projection: Projection) -> Iterator[tuple[Waiting, Problem | None]]:
    for entity_id, own in memory.known[projection.entity].items():
        if (problem := _aside(memory, projection, entity_id, own)) is not None:
            assert own.state is not None
            row = row_of(projection, entity_id, own.state)
            yield Waiting(problem.line, projection.entity, entity_id, own.state.version, problem.reason, row), problem
        said: Problem | None = None
        for version, event in sorted(own.parked.items()):
            first, said = said is None, said or _behind(own, version, event)
            row = dict(event.fields)
            waiting = Waiting(event.record.offset, projection.entity, entity_id, version, said.reason, row)
            yield waiting, said if first else None


def _behind(own: Known, version: int, event: Event) -> Problem:
    """Why a partial event is parked."""
    if own.state is None or own.newest is None:
        return NO_BASE.at(event.record.offset, version=version)
    return GAP.at(event.record.offset, own.newest.record.offset, version=version, before=own.state.version)


def _aside(memory: Memory, projection: Projection, entity_id: UUID, own: Known) -> Problem | None:
    """Why the newest state is not shown; None where it is, or where it is deleted."""
    state, newest = own.state, own.newest
    if state is None or newest is None or state.fields is None:
        return None
    number, claims = newest.record.offset, memory.claims.get(projection.entity)
    if claims is not None:
        if (holder := claims.contested.get(entity_id)) is None:
            return None
        column = next(c for c in projection.unique if claims.shown[holder].fields[c] == state.fields[c])  # type: ignore[index]  # what is shown has fields
        return HELD.at(number, _line(memory.known[projection.entity][holder]), column=column, entity=projection.entity)
    return _without_parent(memory, projection, state, number)


def _without_parent(memory: Memory, projection: Projection, state: State, number: int) -> Problem | None:
    if (parent := memory.missing(projection, state)) is None:
        return None
    assert state.fields is not None
    owner = memory.known[parent.entity].get(state.fields[parent.column])
    warned = WAITING_OWNER
    if owner is None or owner.state is None:
        warned = UNKNOWN_OWNER
    elif owner.state.fields is None:
        warned = DELETED_OWNER
    return warned.at(number, None if owner is None else _line(owner), column=parent.column, entity=parent.entity)


def _line(known: Known) -> int | None:
    return None if known.newest is None else known.newest.record.offset
