"""Which name of the contract a publisher may have meant by another one."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

ALIKE = 0.75
"""From this ratio on (`SequenceMatcher`) two words are alike: `create` and `created` have 0.92, `renamed` and `created`
0.57. In two names that are alike, all words are."""
LONGEST = 200
"""Characters of a name that are looked at."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_VERSION = re.compile(r"[vV][0-9]+\b")


def similar_type(name: str, known: Iterable[str]) -> str | None:
    """The event type of `known` that `name` resembles: `user.created` for `UserCreated`, `user.created.v1`,
    `com.acme.user.created` and `user.create`. None where it resembles none."""
    words = _words(_VERSION.sub(" ", name[:LONGEST]))
    best, found = ALIKE, None
    for one in known:
        wanted = _words(one)
        alike = max(
            (_ratio(words[at : at + len(wanted)], wanted) for at in range(max(1, len(words) - len(wanted) + 1))),
            default=0.0,
        )
        if alike >= best:
            best, found = alike, one
    return found


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _ratio(words: list[str], wanted: list[str]) -> float:
    if len(words) != len(wanted):
        return 0.0
    return min(SequenceMatcher(None, *pair).ratio() for pair in zip(words, wanted, strict=True))
