"""`status` for people is short, however many partitions and members there are."""

import io
from typing import Any

import pytest
from rich.console import Console

from neon_projector.consumer.admin.verdict import findings
from neon_projector.consumer.cli.status_text import shown
from tests.unit.test_verdict import a_partition, a_status

EMPTY = {"waiting": [], "dead_letters_by_reason": [], "hidden": 0, "foreign_keys": [], "last_update": None}


def a_large_one(changed: dict[str, dict[str, Any]] | None = None, members: int = 2) -> dict[str, Any]:
    """Two topics of 64 partitions, of which `changed` (`{"users:3": {…}}`) are not fine."""
    rows = [
        {"next_offset": 9, "open_transaction_records": 0}
        | a_partition(number, topic=topic, **(changed or {}).get(f"{topic}:{number}", {}))
        for topic in ("users", "documents") for number in range(64)
    ]  # fmt: skip
    names = [f"{row['topic']}:{row['partition']}" for row in rows]
    held = [{"name": f"one-{n}", "host": "10.0.0.1", "partitions": names[n::members]} for n in range(members)]
    group = {"id": "projector", "protocol": "classic", "state": "Stable", "members": held, "says_who_reads": True}
    status = a_status(partitions=rows, group=group, **EMPTY)
    return status | {"findings": [one._asdict() for one in findings(status)]}


def lines_of(status: dict[str, Any], *, width: int = 80, every: bool = False) -> list[str]:
    out = io.StringIO()
    on = Console(file=out, width=width)
    on.print(shown(status, on, every=every))
    return [line.strip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 10_000])
def test_a_healthy_service_of_64_partitions_takes_at_most_24_lines(width: int) -> None:
    lines = lines_of(a_large_one(), width=width)
    assert len(lines) <= 24
    assert lines[0] == "OK: 128 partitions are read, 0 records are on their way"
    assert "users: 64 partitions, 0 records behind" in lines
    assert "documents: 64 partitions, 0 records behind" in lines
    assert any("users: 32, documents: 32" in line for line in lines)


def test_what_is_in_trouble_is_listed_and_the_rest_is_summed_up() -> None:
    late = {"lag": 1200, "lag_seconds": 200.0}
    lines = lines_of(a_large_one({"users:3": {"stopped": "unreadable", "lag_seconds": None}, "documents:7": late}))
    listed = [line.split()[0] for line in lines if line.startswith(("users:3 ", "documents:7 "))]
    assert listed == ["users:3", "documents:7"]
    assert "users: 64 partitions, 0 records behind, 1 stopped" in lines
    assert "documents: 64 partitions, 1,200 records behind, the oldest for 3 min" in lines
    assert lines[0].startswith("STOPPED: users:3 is stopped")


def test_of_many_in_trouble_the_first_are_listed_and_all_where_that_is_asked_for() -> None:
    status = a_large_one({f"users:{n}": {"lag": n, "lag_seconds": 60.0 + n} for n in range(64)})
    lines = lines_of(status)
    assert [line.split()[0] for line in lines if line.startswith("users:6")][:2] == ["users:63", "users:62"]
    assert "and 53 more: --partitions lists all" in lines
    assert len(lines) < 40
    every = lines_of(status, every=True)
    assert sum(line.startswith(("users:", "documents:")) for line in every) >= 128
    assert not any("more: --partitions" in line for line in every)


def test_many_members_and_many_open_transactions_are_not_all_listed_either() -> None:
    held = {"open_transaction_records": 1, "open_transaction_seconds": 5.0}
    lines = lines_of(a_large_one({f"users:{n}": held for n in range(40)}, members=40), width=100)
    assert lines.count("and 30 more: --partitions lists all") == 2
    assert "users:0: 1 record waits behind an open transaction, whose first record is 5 s old" in lines
    assert len(lines) < 50


def test_without_an_instance_it_says_so_once_and_not_of_each_partition() -> None:
    status = a_large_one({f"users:{n}": {"member": None} for n in range(64)})
    status["group"] |= {"members": [], "state": "Empty"}
    lines = lines_of(status | {"findings": [one._asdict() for one in findings(status)]})
    assert lines[0] == "STOPPED: no instance of the service is in the group"
    assert len(lines) < 12
