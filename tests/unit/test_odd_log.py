"""Odd records are one line a minute for each topic, the first one at once."""

import logging

import pytest

from neon_projector.consumer.apply.oddities import NAMES, OTHERS, UNKNOWN_TYPE, Oddity, oddities
from neon_projector.consumer.telemetry.odd_log import OddLog
from neon_projector.projections.contract.event import Ignored
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import ARecord


def odd(name: str, resembles: str | None = None, number: int = 1, topic: str = "users") -> Oddity:
    return Oddity(topic, 0, UNKNOWN_TYPE, name, resembles, "/shop", number, 7)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = [
        (r.__dict__["topic"], r.__dict__["number"], r.__dict__.get("did_you_mean")) for r in caplog.records
    ]
    caplog.clear()
    return found


def test_odd_records_are_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    told = OddLog()
    told.tell(0)
    assert lines(caplog) == []
    told.count([odd("UserCreated", "user.created", 3), odd("x", topic="documents")])
    told.tell(1)
    assert lines(caplog) == [("users", 3, {"UserCreated": "user.created"}), ("documents", 1, None)]
    for second in range(2, 62):
        told.count([odd("x")])
        told.tell(second)
    assert lines(caplog) == [("users", 60, None)]
    with caplog.at_level(logging.WARNING):
        told.tell(130)
        told.count([odd("x")])
        told.tell(131)
    assert lines(caplog) == [("users", 1, None)]


def test_a_batch_of_any_number_of_types_has_few_names_and_counts_all() -> None:
    record = ARecord(b"{}")
    ignored = [Ignored(record.at(n), f"type.{n}", "/shop?token=x") for n in range(300)]
    found = oddities([*ignored, Ignored(record)], REGISTRY.event_types)
    assert (len(found), sum(one.number for one in found)) == (NAMES + 1, 300)
    assert {one.source for one in found} == {"/shop"}
    assert [one.number for one in found if one.name == OTHERS] == [300 - NAMES]
