"""Who gets a unique value (an e-mail address) when several entities want it: decided before anything is written."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Id = TypeVar("Id", bound=Hashable)
Value = TypeVar("Value", bound=Hashable)


def denied(wanted: Mapping[Id, Value], holders: Mapping[Value, Id], leaving: frozenset[Id]) -> dict[Id, Id]:
    """Of those who want a value, the ones who can't have it, each with the one who has it.

    `wanted` is in order of arrival: of two who want a free value the first gets it. `holders` have the values now;
    one who is among `wanted` leaves the old value if the new one is granted, so swaps and longer cycles succeed as
    a whole, also where somebody else wants one of their values. Those in `leaving` give theirs up in any case.
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
    """Those who want, each one, what the next one has; also who wants what it has already."""
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
