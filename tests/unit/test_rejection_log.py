"""A source in a log: who publishes, and nothing that a URI may have beside."""

import logging
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from neon_projector.consumer.apply.rejection_log import RejectionLog, Why, said_source


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "-"),
        ("", "-"),
        ("/shop", "/shop"),
        ("https://shop.example/orders", "https://shop.example/orders"),
        ("https://ada:lovelace@shop.example/orders?token=hunter2#x", "https://shop.example/orders"),
        ("//ada@shop.example", "//shop.example"),
        ("?token=hunter2", "-"),
        ("urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"),
        ("shop\n\x1b[31m\N{SNOWMAN}", "shop??[31m?"),
        ("a" * 10_000, "a" * 100),
    ],
)
def test_a_source_is_said_without_what_it_may_carry(source: str | None, said: str) -> None:
    assert said_source(source) == said


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, ...]]:
    """Topic, numbers and what most of them are, of each line."""
    found = [(r.topic, r.rejected, r.records, r.most) for r in map(vars_of, caplog.records)]
    caplog.clear()
    return found


def vars_of(record: logging.LogRecord) -> SimpleNamespace:
    return SimpleNamespace(**vars(record))


def test_a_flood_is_one_line_a_minute_and_calm_is_none(caplog: pytest.LogCaptureFixture) -> None:
    told, shop, till = RejectionLog(), Why("invalid_data", "/shop"), Why("invalid_json", "/till")
    for second in range(50, 60):  # nothing is rejected
        told.count("users", 100, Counter())
        told.tell(second)
    assert lines(caplog) == []
    told.count("users", 100, Counter({shop: 77}))
    told.tell(60)
    assert lines(caplog) == [("users", 77, 100, {"invalid_data from /shop": 77})]
    for second in range(61, 121):
        told.count("users", 100, Counter({shop: 70, till: 7}))
        told.count("documents", 100, Counter({till: 1} if second == 90 else {}))
        told.tell(second)
    assert lines(caplog) == [
        ("users", 77 * 60, 6_000, {"invalid_data from /shop": 4_200, "invalid_json from /till": 420}),
        ("documents", 1, 6_000, {"invalid_json from /till": 1}),
    ]
    told.tell(180)
    told.count("users", 1, Counter({till: 1}))
    told.tell(181)
    assert lines(caplog) == [("users", 1, 1, {"invalid_json from /till": 1})]


def test_sources_without_number_are_five_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    told = RejectionLog()
    told.count("users", 1_000, Counter({Why("invalid_data", f"/{n}"): 1 for n in range(1_000)}))
    told.tell(0)
    ((_, rejected, records, most),) = lines(caplog)
    assert (rejected, records, len(most)) == (1_000, 1_000, 5)
