"""How a number of things is said (`1 record`, `1,200 records`), a duration, and a long list by its first ones."""

from collections.abc import Iterable

PLURALS = {"entity": "entities"}
"""Of last words to which an `s` is not enough."""

STEPS = ((100, 1, "s"), (100 * 60, 60, "min"), (48 * 3600, 3600, "h"))
"""Below so many seconds, the unit's seconds, and its name. What is longer is said in days."""
DAY = 24 * 3600


def counted(number: int, thing: str) -> str:
    """`1 record`, `0 records`, `1,200 dead letters`: `thing` is one of them."""
    if number == 1:
        return f"1 {thing}"
    *before, last = thing.split(" ")
    return f"{number:,} {' '.join([*before, PLURALS.get(last, f'{last}s')])}"


def verb(number: int, one: str, many: str) -> str:
    """The word that goes with so many: `is` or `are`."""
    return one if number == 1 else many


def first_of(names: Iterable[str], most: int) -> str:
    """`users:0, users:1 and 40 more`: at most so many are named."""
    every = list(names)
    more = len(every) - most
    return ", ".join(every) if more <= 0 else f"{', '.join(every[:most])} and {more:,} more"


def span(seconds: float) -> str:
    """A duration in its largest unit, rounded down: `12 s`, `3 min`, `26 h`, `5 days`."""
    whole = max(0, int(seconds))
    for below, unit, name in STEPS:
        if whole < below:
            return f"{whole // unit} {name}"
    return f"{whole // DAY} days"
