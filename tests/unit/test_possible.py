"""What events of one entity can have led to: whatever comes out of them in any order is among it, and nothing else."""

from itertools import permutations
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Kind
from neon_projector.projections.state.fold import fold
from neon_projector.projections.state.possible import MOST_CHOICES, Possible, possible
from tests.support.factories import ARecord

ID = UUID(int=1)
KINDS = {1: Kind.COMPLETE, 2: Kind.PARTIAL, 3: Kind.DELETED, 4: Kind.COMPLETE, 5: Kind.PARTIAL, 6: Kind.PARTIAL}


def an_event(version: int, content: int, expected: int | None = None, kind: Kind | None = None) -> Event:
    kind = kind or KINDS[version]
    fields: dict[str, Any] = {} if kind is Kind.DELETED else {"title": content}
    if kind is Kind.COMPLETE:
        fields |= {"user_id": UUID(int=content), "content": None}
    expects = {} if expected is None or kind is not Kind.PARTIAL else {"user_id": UUID(int=expected)}
    return Event("document", ID, version, kind, "t", fields, "e", "/tests", ARecord(b""), expects)


kinds = st.none() | st.sampled_from(Kind)
events = st.builds(an_event, st.sampled_from(list(KINDS)), st.integers(0, 1), st.none() | st.integers(0, 1), kinds)


def answer(one: Possible) -> Any:
    waiting = frozenset((e.version, str(e.fields), str(e.expects)) for e in one.waiting)
    return one.state and (one.state.version, str(one.state.fields)), waiting


def arrived(received: tuple[Event, ...]) -> Any:
    """What is there when these have come one after the other."""
    state, waiting = None, dict[int, Event]()
    for event in received:
        folded = fold(state, list(waiting.values()), [event])
        state = folded.state
        for gone in (one.version for events in folded.released.values() for one in events):
            waiting.pop(gone)
        waiting |= {one.version: one for one in folded.parked}
    return answer(Possible(state, 0, tuple(waiting.values())))


@settings(deadline=None)
@given(st.lists(events, max_size=5))
def test_it_is_what_comes_out_in_some_order_and_nothing_else(received: list[Event]) -> None:
    outcomes = {arrived(order) for order in permutations(received)}
    assert {answer(one) for one in possible(received)} == outcomes


@settings(deadline=None)
@given(st.permutations([an_event(version, version) for version in KINDS] * 2))
def test_of_repeats_there_is_one_answer(received: list[Event]) -> None:
    assert [answer(one) for one in possible(received)] == [arrived(tuple(received))]


def test_a_newer_complete_event_settles_it() -> None:
    quarrel = [an_event(1, 0), an_event(1, 1), an_event(2, 0), an_event(2, 1)]
    assert len(possible(quarrel)) == 4
    assert len(possible([*quarrel, an_event(3, 0)])) == len(possible([an_event(3, 0), *quarrel])) == 1


def test_the_version_that_it_is_built_on_is_that_of_its_complete_event() -> None:
    assert possible([an_event(5, 0), an_event(4, 0)])[0].base == 4
    assert possible([an_event(2, 0)])[0].base == 0


def test_too_many_contents_are_no_answer() -> None:
    versions = range(1, MOST_CHOICES.bit_length() + 1)
    assert possible([an_event(v, content, kind=Kind.PARTIAL) for v in versions for content in (0, 1)]) == []
