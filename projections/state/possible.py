"""Finds the states that an entity can be in by its events, in whatever order they have arrived.

That is one state, unless events give one version several contents: then the first content to arrive stays, the other is
a dead letter `version_conflict` (or was superseded unseen, where a later version had come already), and nobody knows
afterwards which one came first. Each choice is one possible state.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import PARTIAL
from neon_projector.projections.state.fold import State, fold

MOST_CHOICES = 64
"""With more choices than this, nothing is said about the entity."""


class Possible(NamedTuple):
    """A state (None: no complete event has come), the version of the complete event it is built on (0: none), and the
    partial events that wait for an earlier version."""

    state: State | None
    base: int
    waiting: tuple[Event, ...]


def possible(events: Iterable[Event]) -> list[Possible]:
    """What these events of one entity can have led to. Empty where there are more than `MOST_CHOICES`."""
    contents: dict[int, list[Event]] = {}
    for event in events:
        said = contents.setdefault(event.version, [])
        if not any(_equal(event, other) for other in said):
            said.append(event)
    complete = (version for version, said in contents.items() if all(e.kind is not PARTIAL for e in said))
    covered = max(complete, default=0)
    choices = [contents[version] for version in sorted(contents) if version >= covered]
    if prod(map(len, choices)) > MOST_CHOICES:
        return []
    found: list[Possible] = []
    for choice in product(*choices):
        one = _folded(choice)
        if one not in found and _can_be(one, choice, choices):
            found.append(one)
    return found


def _equal(one: Event, other: Event) -> bool:
    return (one.kind, one.fields, one.expects) == (other.kind, other.fields, other.expects)


def _folded(events: Sequence[Event]) -> Possible:
    folded = fold(None, (), events)
    state = folded.state
    complete = (e.version for e in events if e.kind is not PARTIAL)
    return Possible(state, 0 if state is None else max(complete), tuple(folded.parked))


def _can_be(one: Possible, choice: Sequence[Event], choices: Sequence[Sequence[Event]]) -> bool:
    """A complete event replaces a partial one of its version that waits. So the partial one stays only where it was
    applied, to the version before."""
    reached = 0 if one.state is None else one.state.version
    return all(
        chosen.kind is not PARTIAL or chosen.version <= reached or all(e.kind is PARTIAL for e in said)
        for chosen, said in zip(choice, choices, strict=True)
    )
