"""Decides which entity gets a unique value (an e-mail address) if several want it, before anything is written."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Id = TypeVar("Id", bound=Hashable)
Value = TypeVar("Value", bound=Hashable)


def denied(wanted: Mapping[Id, Value], holders: Mapping[Value, Id], leaving: frozenset[Id]) -> dict[Id, Id]:
    """The entities that cannot have the value they want, each with the entity that has it.

    `wanted` is in order of arrival: the first of two that want a free value gets it. `holders` have the values now. A
    holder that is itself in `wanted` frees its old value if it gets the new one. So swaps and longer cycles succeed as
    a whole, even if a third entity wants one of their values. Holders in `leaving` free their values in any case.
    """
    staying = {value: holder for value, holder in holders.items() if holder not in leaving}
    cycles = {wanted[member]: member for member in _in_cycles(wanted, staying)}
    lost: set[Id] = set()
    while True:
        stuck = {value: holder for value, holder in staying.items() if holder not in wanted or holder in lost}
        granted = cycles | stuck
        before = len(lost)
        for claimant, value in wanted.items():
            if claimant not in lost and granted.setdefault(value, claimant) != claimant:
                lost.add(claimant)
        if len(lost) == before:
            return {claimant: granted[wanted[claimant]] for claimant in wanted if claimant in lost}


def _in_cycles(wanted: Mapping[Id, Value], holders: Mapping[Value, Id]) -> set[Id]:
    """The entities in a cycle: each wants what the next one holds. One that wants what it holds is a cycle of one."""
    found: set[Id] = set()
    walked: set[Id] = set()
    for start in wanted:
        path: dict[Id, None] = {}
        at: Id | None = start
        while at is not None and at in wanted and at not in walked:
            walked.add(at)
            path[at] = None
            at = holders.get(wanted[at])
        if at in path:
            members = list(path)
            found.update(members[members.index(at) :])
    return found
