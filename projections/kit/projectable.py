"""Folds a publisher's events in memory, and says what the service would not show as it is meant."""

from collections.abc import Collection, Iterable, Iterator
from functools import cache

from neon_projector.projections.checking import warnings
from neon_projector.projections.checking.across import Across
from neon_projector.projections.checking.problem import Problem, problems_of
from neon_projector.projections.checking.warnings import TWICE, Warned
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.kit.check import reading
from neon_projector.projections.kit.events import AnEvent, is_one, record_of
from neon_projector.projections.kit.tables import Tables, tables_of
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.state.memory import Memory

SHOWN = 20
"""Problems that the error shows; it counts the others."""


def assert_projectable(events: Iterable[AnEvent], *, allow: Collection[str] = (), strict: bool = False) -> Tables:
    """The tables that the service would have after these events, in this order, and nothing before them.

    An event is a dict or JSON in structured form, or a record: a tuple (key, headers, value), or what has these
    attributes. AssertionError names each event, by its number, that becomes a dead letter, is ignored, is read without
    a field, or leaves something that waits. Warnings that are meant are in `allow`, by name: `unknown_owner` where
    others publish the users. `strict` is the service's CONTRACT_STRICT. ValueError: no warning has that name.
    TypeError: no event, or one event where several are expected.
    """
    __tracebackhide__ = True
    allow = {allow} if isinstance(allow, str) else set(allow)
    if unknown := allow - names_of_warnings():
        raise ValueError(f"allow: of {', '.join(sorted(names_of_warnings()))}; {', '.join(sorted(unknown))} came")
    tables, problems = projected(REGISTRY, events, strict=strict)
    wrong = [problem for problem in problems if not (problem.warning and problem.reason in allow)]
    if wrong:
        raise AssertionError("\n".join(_text(wrong)))
    return tables


def projected(registry: Registry, events: Iterable[AnEvent], *, strict: bool = False) -> tuple[Tables, list[Problem]]:
    """The tables, and all that is wrong, in the order of the events. TypeError as of `assert_projectable`."""
    if is_one(events):
        raise TypeError(f"events: a list of them, one {type(events).__name__} came")
    memory, across, read, found = Memory(registry), Across(registry), reading(registry, strict), list[Problem]()
    refused = set[int]()
    for number, one in enumerate(events, 1):
        event, problems = read(number, record_of(number, one))
        found += problems
        if event is not None:
            across.add(number, event)
            rejected = memory.take(event).rejected
            found += [problem for one in rejected for problem in problems_of(one.record.offset, one)]
            refused |= {one.record.offset for one in rejected}
    found += [one for one in across.end() if one.reason == TWICE.name and one.line not in refused]  # some pass unseen
    tables, waiting = tables_of(registry, memory)
    return tables, sorted([*found, *waiting], key=lambda problem: problem.line)


@cache
def names_of_warnings() -> frozenset[str]:
    """Of all warnings."""
    return frozenset(one.name for one in vars(warnings).values() if isinstance(one, Warned))


def _text(problems: list[Problem]) -> Iterator[str]:
    yield "not all of the events are projectable as they are:"
    for one in problems[:SHOWN]:
        clash = f" (event {one.other_line})" if one.other_line else ""
        yield f"event {one.line}: {'warning: ' if one.warning else ''}{one.reason}: {one.said}{clash}"
        yield f"    {one.mend}"
    if (more := len(problems) - SHOWN) > 0:
        yield f"and {more:,} more"
    if warned := sorted({one.reason for one in problems if one.warning}):
        yield f"Where that is meant: allow={{{', '.join(f'{name!r}' for name in warned)}}}"
