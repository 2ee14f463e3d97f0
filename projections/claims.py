"""Who gets a unique value (an e-mail address) when several entities want it: decided before anything is written."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Id = TypeVar("Id", bound=Hashable)
Value = TypeVar("Value", bound=Hashable)


def losers(wanted: Mapping[Id, Value], holders: Mapping[Value, Id], leaving: frozenset[Id]) -> dict[Id, Id]:
    """Of those who want a value, the ones who can't have it, each with the one who has it.

    `wanted` is in order of arrival: of two who want a free value the first gets it. `holders` have the values now;
    one who is among `wanted` leaves the old value if the new one is granted, so swaps and longer cycles succeed as
    a whole. Those in `leaving` give theirs up in any case.
    """
    lost: dict[Id, Id] = {}
    while True:
        granted: dict[Value, Id] = {}
        for value, holder in holders.items():
            stays = holder not in leaving and (holder not in wanted or holder in lost or wanted[holder] == value)
            if stays:
                granted[value] = holder
        before = len(lost)
        for claimant, value in wanted.items():
            if claimant not in lost and granted.setdefault(value, claimant) != claimant:
                lost[claimant] = granted[value]
        if len(lost) == before:
            return lost
