"""`projector traffic` says in its first line who sends most, and gives only figures that were measured."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from neon_projector.consumer.cli.traffic_text import print_traffic, said_share, verdict


def a_topic(source: str = "/shop", **changed: Any) -> dict[str, Any]:
    most = {"source": source, "records": 9400, "share": 0.94, "per_second": 1240.4, "entity_id": None}
    most |= {"entity_share": None, "stopped_at": None} | (changed.pop("most", {}) or {})
    return {
        "topic": "users", "partitions": None, "records": 10_000, "per_second": 1319.6, "since": None, "most": most,
        "offsets_asked": 10_000, "offsets_read": 10_000, "waiting": 0, "come_per_second": None,
        "applied_per_second": None, "measured_seconds": None, "seconds_since_applied": 2.0,
    } | changed  # fmt: skip


def a_row(**changed: Any) -> dict[str, Any]:
    row = {"topic": "users", "source": "/shop", "records": 9400, "share": 0.94, "per_second": 1240.4, "ids": 12_345}
    return row | {"no_event": 0, "since": None, "newest": None} | changed


def an_answer(*topics: dict[str, Any], **changed: Any) -> dict[str, Any]:
    answer = {"topics": list(topics), "rows": [a_row()], "missing": 0, "ids_exact": True, "unreadable": []}
    return answer | changed


BEHIND: dict[str, Any] = {
    "waiting": 54_000,
    "come_per_second": 1310.0,
    "applied_per_second": 1100.2,
    "measured_seconds": 3.1,
}


@pytest.mark.parametrize(
    ("topics", "says"),
    [
        ([a_topic()], "/shop sends 94 % of users, 1,240/s; nothing of users waits"),
        ([a_topic(**BEHIND)], "/shop sends 94 % of users, 1,240/s; the service applies 1,100/s of users"),
        ([a_topic(**BEHIND | {"applied_per_second": 0.0, "seconds_since_applied": 83.4})],
         "/shop sends 94 % of users, 1,240/s; the service has applied nothing of users for 83 s"),
        ([a_topic(**BEHIND | {"applied_per_second": 0.0, "seconds_since_applied": None})],
         "/shop sends 94 % of users, 1,240/s; the service has applied nothing of users"),
        ([a_topic(most={"per_second": None})], "/shop sends 94 % of users; nothing of users waits"),
        ([a_topic(most={"entity_id": "7b0c", "entity_share": 0.5})],
         "/shop sends 94 % of users, 1,240/s, 50 % of them of 7b0c; nothing of users waits"),
        ([a_topic(waiting=1200)], "/shop sends 94 % of users, 1,240/s; 1,200 of users wait"),
        ([a_topic(most={"stopped_at": datetime.now(UTC) - timedelta(days=4, hours=9)})],
         "/shop sent 94 % of users, 1,240/s until 4 days ago; nothing of users waits"),
        ([a_topic(partitions=[0, 3], **BEHIND)],
         "/shop sends 94 % of users:0,3, 1,240/s; the service applies 1,100/s of users:0,3"),
        ([a_topic(partitions=range(6))], "/shop sends 94 % of 6 partitions of users, 1,240/s; "
         "nothing of 6 partitions of users waits"),
        ([a_topic("-")], "94 % of users name no source, 1,240/s; nothing of users waits"),
        ([a_topic(), a_topic("/crm", topic="documents", per_second=0.4, most={"per_second": 0.2}, **BEHIND)],
         "/crm sends 94 % of documents, 0.2/s; the service applies 1,100/s of documents"),
        ([a_topic(**BEHIND | {"per_second": None}, most={"per_second": None}),
          a_topic("/crm", topic="documents", records=3, per_second=3.0, **BEHIND)],
         "/shop sends 94 % of users; the service applies 1,100/s of users"),
        ([a_topic(**BEHIND), a_topic("/crm", topic="documents", records=20_000, per_second=3.0, **BEHIND),
          a_topic(topic="orders", records=1, per_second=None, **BEHIND)],
         "/shop sends 94 % of users, 1,240/s; the service applies 1,100/s of users"),
        ([a_topic(records=0), a_topic(topic="documents")],
         "/shop sends 94 % of documents, 1,240/s; nothing of documents waits"),
        ([a_topic(records=0), a_topic(topic="documents", records=0)],
         "no record of users or documents is in this range (times are the records' own)"),
    ],
)  # fmt: skip
def test_the_verdict_names_who_sends_most_where_it_matters(topics: list[dict[str, Any]], says: str) -> None:
    assert verdict(an_answer(*topics)) == says


@pytest.mark.parametrize(
    ("share", "said"), [(1.0, "100 %"), (0.9999, "99 %"), (0.5, "50 %"), (0.004, "<1 %"), (0.0, "0 %")]
)
def test_a_share_is_all_or_nothing_only_where_it_is(share: float, said: str) -> None:
    assert said_share(share) == said


def lines(capsys: pytest.CaptureFixture[str], told: dict[str, Any], limit: int = 20) -> list[str]:
    print_traffic(told, limit, as_json=False)
    return [line for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_what_was_measured_says_whether_it_becomes_more(capsys: pytest.CaptureFixture[str]) -> None:
    more = lines(capsys, an_answer(a_topic(**BEHIND)))[1]
    assert more == "users: 54,000 records wait; in the last 3 s 1,310/s came, 1,100/s were applied"
    less = lines(capsys, an_answer(a_topic(**{**BEHIND, "come_per_second": 0.0})))[1]
    assert less.endswith("0.0/s came, 1,100/s were applied, so nothing waits in 49 s")
    none = lines(capsys, an_answer(a_topic(**{**BEHIND, "waiting": 0})))
    assert not any("wait;" in line for line in none)


def test_what_is_not_exact_or_not_all_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    exact = lines(capsys, an_answer(a_topic()))
    assert len(exact) == 4
    told = an_answer(
        a_topic(offsets_asked=620_000), missing=7, ids_exact=False, unreadable=["users:0: gone"], rows=[a_row()] * 3
    )
    shown = lines(capsys, told, limit=2)
    assert "users: read were the newest 10,000 of 620,000 records; --all reads all" in shown
    assert "so many different ones came that a row may have up to 7 records more" in shown
    assert "users:0: gone" in shown
    assert any("about 12,345" in line for line in shown)
    assert any(line.startswith("and 1 more: --limit") for line in shown)
    (few,) = (line for line in lines(capsys, told | {"rows": [a_row(ids=0)]}) if "/shop  " in line)
    assert "few" in few, "its ids may all be among those that were not kept"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"type": "user.created"},
        {"type": "user.created", "no_event": 1_000_000, "records": 9_999_999},
        {"entity_id": "7b0c0f0e-6a0e-4c8e-9f57-0c5f3c3c1d11"},
        {
            "source": "https://shop.example.com/orders",
            "type": "ownership.transferred",
            "topic": "a-long-name-of-a-topic",
        },
    ],
)
def test_it_fits_80_columns(
    more: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neon_projector.consumer.cli.output.on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    shown = lines(capsys, an_answer(a_topic(**BEHIND), rows=[a_row(**more)]))
    assert max(map(len, shown)) <= 80
    assert all(str(value) in "".join(shown) for value in more.values() if isinstance(value, str))
