"""Two contents of one version: what the events alone do not decide is named, and only that."""

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Kind
from neon_projector.projections.registry import REGISTRY
from neon_projector.projections.state.recompute import Recomputation
from tests.support.factories import ARecord

ID = UUID(int=1)
KEY = "document", ID
KINDS = {1: Kind.COMPLETE, 2: Kind.PARTIAL, 3: Kind.DELETED, 4: Kind.COMPLETE, 5: Kind.PARTIAL, 6: Kind.PARTIAL}


def an_event(version: int, content: int, expected: int | None = None, kind: Kind | None = None) -> Event:
    kind = kind or KINDS[version]
    fields: dict[str, Any] = {} if kind is Kind.DELETED else {"title": content}
    if kind is Kind.COMPLETE:
        fields |= {"user_id": UUID(int=content), "content": None}
    expects = {} if expected is None or kind is not Kind.PARTIAL else {"user_id": UUID(int=expected)}
    return Event("document", ID, version, kind, "t", fields, "e", "/tests", ARecord(b""), expects)


events = st.lists(
    st.builds(an_event, st.sampled_from(list(KINDS)), st.integers(0, 1), st.none() | st.integers(0, 1)), max_size=8
)


def computed(arriving: list[Event]) -> Recomputation:
    recomputation = Recomputation(REGISTRY)
    for event in arriving:
        recomputation.add(event)
    return recomputation


def answer(recomputation: Recomputation) -> Any:
    """The state, and what waits; the second of two events that are the same says nothing."""
    waiting = sorted((e.version, str(e.fields), str(e.expects)) for e in recomputation.waiting())
    return [(state.version, state.fields) for _, state in recomputation.states()], waiting


@given(events, st.randoms(use_true_random=False))
def test_where_the_order_decides_the_entity_is_named_in_every_order(received: list[Event], rng: Any) -> None:
    other = rng.sample(received, len(received))
    one, two = computed(received), computed(other)
    assert one.disputed() == two.disputed()
    if answer(one) != answer(two):
        assert one.disputed() == {KEY}


@given(st.permutations([an_event(version, version) for version in KINDS] * 2))
def test_repeats_are_no_dispute(received: list[Event]) -> None:
    assert computed(received).disputed() == set()


def test_a_newer_complete_event_settles_it() -> None:
    quarrel = [an_event(1, 0), an_event(1, 1), an_event(2, 0), an_event(2, 1)]
    assert computed(quarrel).disputed() == {KEY}
    assert computed([*quarrel, an_event(3, 0)]).disputed() == set()
    assert computed([an_event(3, 0), *quarrel]).disputed() == set()


def test_a_deletion_and_a_state_of_one_version_are_a_dispute() -> None:
    assert computed([an_event(4, 0), an_event(4, 0, kind=Kind.DELETED)]).disputed() == {KEY}


def test_a_complete_event_that_contradicts_the_partial_one_of_its_version_is_a_dispute() -> None:
    agreeing = an_event(5, 4, kind=Kind.COMPLETE)
    agreeing.fields["user_id"] = UUID(int=0)
    assert computed([an_event(4, 0), an_event(5, 4), agreeing]).disputed() == set()
    assert computed([an_event(4, 0), an_event(5, 4), an_event(5, 3, kind=Kind.COMPLETE)]).disputed() == {KEY}
