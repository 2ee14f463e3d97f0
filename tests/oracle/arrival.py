"""How events arrive: in which order, how often, in which partitions, cut into which batches."""

import random
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]


def as_emitted(events: list[Event], _rng: random.Random) -> list[Event]:
    return list(events)


def children_first(events: list[Event], _rng: random.Random) -> list[Event]:
    """All comments, then all documents, then all users."""
    return sorted(events, key=lambda e: ("comment", "document", "user").index(e["type"].partition(".")[0]))


def disturbed(events: list[Event], rng: random.Random) -> list[Event]:
    """Each event up to ten places from where it was emitted."""
    places = [place + rng.uniform(0, 10) for place in range(len(events))]
    return [event for _, event in sorted(zip(places, events, strict=True), key=lambda pair: pair[0])]


def any_order(events: list[Event], rng: random.Random) -> list[Event]:
    return rng.sample(events, len(events))


ORDERS: dict[str, Callable[[list[Event], random.Random], list[Event]]] = {
    "as emitted": as_emitted,
    "children first": children_first,
    "disturbed": disturbed,
    "any order": any_order,
}


def with_repeats(events: list[Event], rng: random.Random) -> list[Event]:
    """One in five comes again, at any later place."""
    arriving = list(events)
    for event in rng.sample(events, len(events) // 5):
        arriving.insert(rng.randint(arriving.index(event) + 1, len(arriving)), event)
    return arriving


def said_twice(events: list[Event], rng: random.Random) -> list[Event]:
    """A few versions come with other content, too: which one counts depends on the order."""
    said = list(events)
    for event in rng.sample(events, len(events) // 10):
        for name in {"name", "title", "body"} & event["data"].keys():
            other = event | {"data": event["data"] | {name: "said otherwise"}}
            said.insert(rng.randrange(len(said)), other)
    return said


def batches(events: list[Event], rng: random.Random) -> list[list[Event]]:
    """Cut anywhere: batches of one, of a few, and of many."""
    cut, left = [], list(events)
    while left:
        size = rng.choice([1, 1, 2, 5, 10, 40])
        cut.append(left[:size])
        left = left[size:]
    return cut
