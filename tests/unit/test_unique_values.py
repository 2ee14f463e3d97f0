"""Who gets an address when several want it. In these stories A, B, C are users and x, y, z addresses."""

from hypothesis import given, settings
from hypothesis import strategies as st

from neon_projector.projections.state.unique_values import denied

NOBODY: frozenset[str] = frozenset()


def test_a_free_value_goes_to_who_wants_it() -> None:
    assert denied({"A": "x"}, {}, NOBODY) == {}


def test_of_two_who_want_a_free_value_the_first_gets_it() -> None:
    assert denied({"A": "x", "B": "x"}, {}, NOBODY) == {"B": "A"}


def test_the_holder_keeps_it() -> None:
    assert denied({"A": "x"}, {"x": "B"}, NOBODY) == {"A": "B"}
    assert denied({"A": "x", "B": "x"}, {"x": "B"}, NOBODY) == {"A": "B"}


def test_who_leaves_gives_it_up() -> None:
    assert denied({"A": "x"}, {"x": "B"}, frozenset({"B"})) == {}


def test_who_moves_gives_it_up() -> None:
    assert denied({"A": "x", "B": "y"}, {"x": "B"}, NOBODY) == {}


def test_a_swap_succeeds() -> None:
    assert denied({"A": "y", "B": "x"}, {"x": "A", "y": "B"}, NOBODY) == {}


def test_a_cycle_of_three_succeeds() -> None:
    assert denied({"A": "y", "B": "z", "C": "x"}, {"x": "A", "y": "B", "z": "C"}, NOBODY) == {}


def test_a_swap_succeeds_also_when_a_third_came_first() -> None:
    assert denied({"C": "y", "A": "y", "B": "x"}, {"x": "A", "y": "B"}, NOBODY) == {"C": "A"}


def test_who_loses_stays_and_so_does_who_waits_for_that_value() -> None:
    wanted = {"A": "y", "B": "z", "C": "x"}
    assert denied(wanted, {"x": "A", "y": "B", "z": "Z"}, NOBODY) == {"A": "B", "B": "Z", "C": "A"}


def test_each_loser_is_told_who_has_the_value_in_the_end() -> None:
    wanted = {"A": "y", "B": "y", "C": "z"}
    assert denied(wanted, {"y": "C", "z": "Z"}, NOBODY) == {"A": "C", "B": "C", "C": "Z"}


users, addresses = st.sampled_from("ABCDEFG"), st.sampled_from("uvwxyz")


@settings(max_examples=500, deadline=None)
@given(
    wanted=st.dictionaries(users, addresses),
    held=st.dictionaries(addresses, users).filter(lambda held: len(set(held.values())) == len(held)),
    leaving=st.frozensets(users, max_size=3),
)
def test_no_two_get_one_value_and_nobody_loses_a_free_one(
    wanted: dict[str, str], held: dict[str, str], leaving: frozenset[str]
) -> None:
    leaving -= wanted.keys()
    lost = denied(wanted, held, leaving)
    after = [(value, user) for value, user in held.items() if user not in leaving | (wanted.keys() - lost.keys())]
    after += [(wanted[user], user) for user in wanted.keys() - lost.keys()]
    owner = dict(after)
    assert len(owner) == len(after)
    assert lost == {user: owner[wanted[user]] for user in lost}
    assert all(user != other for user, other in lost.items())
