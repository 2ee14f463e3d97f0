"""What may be handed over to the testing kit as an event, and what is none."""

import json
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from neon_projector.projections import assert_projectable, check
from tests.support.factories import a_binary_record, a_record, a_user_event

ADA = UUID(int=1)
ada = a_user_event(id=ADA)


class ValueFirst(NamedTuple):
    """A record as some clients have it: not in the order of a plain tuple."""

    value: bytes
    key: str
    headers: None


ENDLESS: dict[str, Any] = {}
ENDLESS["itself"] = ENDLESS
DEEP: dict[str, Any] = {}
for _ in range(100_000):
    DEEP = {"x": DEEP}


@pytest.mark.parametrize(
    "one",
    [
        ada,
        json.dumps(ada),
        json.dumps(ada).encode(),
        a_record(ada),
        a_binary_record(ada),
        (str(ADA), None, json.dumps(ada)),
        (a_binary_record(ada).key, [*a_binary_record(ada).headers], a_binary_record(ada).value),
        SimpleNamespace(key=None, headers=None, value=json.dumps(ada).encode()),
        SimpleNamespace(key=lambda: None, headers=lambda: None, value=lambda: json.dumps(ada).encode()),
        ValueFirst(json.dumps(ada).encode(), str(ADA), None),
        (None, [], bytearray(json.dumps(ada).encode())),
        (None, {}, memoryview(json.dumps(ada).encode())),
    ],
    ids=[
        "dict",
        "text",
        "bytes",
        "record",
        "binary record",
        "tuple",
        "binary tuple",
        "any object",
        "confluent-kafka",
        "named tuple",
        "bytearray",
        "memoryview",
    ],
)
def test_an_event_may_be_handed_over_as(one: Any) -> None:
    assert [row["id"] for row in assert_projectable([one])["users"]] == [ADA]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"id": ADA}, "a dict of JSON's own types; .* UUID"),
        (7, ".* int came"),
        ((1, 2), ".* tuple came"),
        (DEEP, "a dict of JSON's own types; "),
        (ENDLESS, "a dict of JSON's own types; "),
        ((ADA, None, "{}"), "key: bytes, text or None, UUID came"),
        ((None, None, ada), "value: bytes, text or None, dict came"),
        ((None, [("a",)], "{}"), "headers: pairs, or a dict, list came"),
        ((None, [(b"a", b"")], "{}"), "headers: names as text, bytes came"),
        ((None, {"a": 1}, "{}"), "header a: bytes, text or None, int came"),
        ((None, 7, "{}"), "headers: pairs, or a dict, int came"),
    ],
)
def test_what_is_no_event_at_all_is_an_error_of_its_own(one: Any, said: str) -> None:
    with pytest.raises(TypeError, match=f"^event 2: {said}"):
        assert_projectable([ada, one])


@pytest.mark.parametrize(
    ("value", "headers", "key", "said"),
    [
        (ada, (), None, "value: .* dict came"),
        (json.dumps(ada), {"n": 1}, None, "header n: .* int came"),
        (json.dumps(ada), (), ADA, "key: .* UUID came"),
    ],
)
def test_what_is_no_record_is_no_fault_of_the_service(value: Any, headers: Any, key: Any, said: str) -> None:
    with pytest.raises(TypeError, match=f"^{said}"):
        check(value, headers, key)
    with pytest.raises(TypeError, match=f"^event 2: {said}"):
        assert_projectable([ada, (key, headers, value)])


@pytest.mark.parametrize("one", [ada, json.dumps(ada), json.dumps(ada).encode(), a_record(ada), a_binary_record(ada)])
def test_one_event_alone_is_not_taken_for_many(one: Any) -> None:
    with pytest.raises(TypeError, match=f"^events: a list of them, one {type(one).__name__} came$"):
        assert_projectable(one)
