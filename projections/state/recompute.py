"""Computes the tables again from events alone, in memory: `projector verify` compares them with the database."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from neon_projector.projections.contract.event import Decoded, Event
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.projection import Fields, Registry
from neon_projector.projections.state.disputed import Disputed, Key
from neon_projector.projections.state.fold import State, fold


class Shown(NamedTuple):
    """A row that an entity's table must have."""

    id: UUID
    version: int
    fields: Fields


class Recomputation:
    """Takes events in any order and keeps the newest state of every entity. Memory grows with their number."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._states: dict[Key, State] = {}
        self._waiting: dict[Key, list[Event]] = {}
        self._disputed = Disputed()

    def add(self, decoded: Decoded) -> None:
        """Apply one decoded record. A rejection or an ignored record changes nothing."""
        if not isinstance(decoded, Event):
            return
        key = (decoded.entity, decoded.id)
        folded = fold(self._states.get(key), self._waiting.get(key, ()), [decoded])
        conflict = any(rejection.reason is Reason.VERSION_CONFLICT for rejection in folded.rejected)
        self._disputed.add(key, decoded, conflict=conflict)
        if folded.state is not None:
            self._states[key] = folded.state
        gone = {event.version for events in folded.released.values() for event in events}
        left = [event for event in self._waiting.get(key, ()) if event.version not in gone] + folded.parked
        if left:
            self._waiting[key] = left
        else:
            self._waiting.pop(key, None)

    def states(self) -> Iterable[tuple[Key, State]]:
        """The newest state of every entity, shown or not. `fields` is None if it is deleted."""
        return self._states.items()

    def waiting(self) -> Iterator[Event]:
        """The partial events that wait for an earlier version."""
        return (event for events in self._waiting.values() for event in events)

    def shown(self, entity: str) -> Iterator[Shown]:
        """The rows that `entity`'s table must have, if no unique value is wanted twice (see `contested`)."""
        for (kind, entity_id), state in self._states.items():
            if kind == entity and state.fields is not None and self.present((kind, entity_id)):
                yield Shown(entity_id, state.version, state.fields)

    def present(self, key: Key) -> bool:
        """Whether the entity and all its parents exist and are not deleted."""
        state = self._states.get(key)
        if state is None or state.fields is None:
            return False
        parents = self._registry[key[0]].parents
        return all(self.present((parent.entity, state.fields[parent.column])) for parent in parents)

    def contested(self) -> set[Key]:
        """The entities whose unique value another entity wants, too. Events alone do not say which of them holds it."""
        found: set[Key] = set()
        for projection in self._registry:
            for column in projection.unique:
                claims: dict[Key, Any] = {
                    key: state.fields[column]
                    for key, state in self._states.items()
                    if key[0] == projection.entity and state.fields is not None
                }
                claimed = Counter(claims.values())
                found |= {key for key, value in claims.items() if claimed[value] > 1}
        return found

    def disputed(self) -> set[Key]:
        """The entities whose events give one version two contents. Events alone do not say which one stayed."""
        return self._disputed.keys()

    def below(self, key: Key, roots: set[Key]) -> bool:
        """Whether the entity is one of `roots`, or a descendant of one."""
        state = self._states.get(key)
        if key in roots or state is None or state.fields is None:
            return key in roots
        parents = self._registry[key[0]].parents
        return any(self.below((parent.entity, state.fields[parent.column]), roots) for parent in parents)
