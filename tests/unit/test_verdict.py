"""The first line of `status` is the worst that there is, and what it names as the next step is a command."""

import shlex
from datetime import UTC, datetime
from typing import Any

import pytest

from neon_projector.consumer.admin.verdict import findings
from neon_projector.consumer.offsets.intake_stops import ACCEPTED, ALL, FUSE, PAUSED, Stop
from tests.unit.test_help import parsed

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def a_partition(number: int = 0, **changed: Any) -> dict[str, Any]:
    row = {
        "topic": "users",
        "partition": number,
        "stopped": None,
        "member": "one",
        "lag": 0,
        "lag_seconds": 0.0,
        "latest": 9,
    }
    return row | {"open_transaction_seconds": None} | changed


def a_stop(reason: str, topic: str = "users", **changed: Any) -> Stop:
    return Stop("key", topic, reason, "eve@host", NOW, "a message", None, 0.0, ())._replace(**changed)


def a_status(**changed: Any) -> dict[str, Any]:
    """The answer where nothing is wrong, otherwise as `changed` says."""
    well = {
        "partitions": [a_partition(), a_partition(1)], "intake": [], "rejected_lately": [], "dead_letters": 0,
        "dead_letters_lately": 0,
        "group": {"protocol": "classic", "members": ["one"], "state": "Stable", "says_who_reads": True},
        "unknown_types": [], "misnamed_fields": [],
        "refused": 0, "parked_states": 0, "parked_events": 0, "contested": 0,
    }  # fmt: skip
    return well | changed


LATELY = [{"topic": "users", "reason": "invalid_data", "source": "/shop", "number": 7}]
CASES = [
    (a_status(), "ok", "2 partitions are read, 0 records", None),
    (a_status(partitions=[a_partition(1), *(a_partition(n, stopped="position_not_in_topic") for n in (0, 3))]),
     "stopped", "users:0, users:3 are stopped: Kafka does not have",
     "projector offsets reset --topic users:0,3 --to-earliest"),
    (a_status(partitions=[a_partition(n, stopped="position_not_in_topic") for n in range(64)]),
     "stopped", "64 partitions are stopped", "projector offsets reset --topic users --to-earliest"),
    (a_status(partitions=[a_partition(stopped="position_not_in_topic", latest=None)]),
     "stopped", "Kafka does not have users:0: create the topic again", None),
    (a_status(partitions=[a_partition(stopped="topic_changed")]), "stopped", "created again",
     "projector offsets reset --topic users --to-earliest"),
    (a_status(partitions=[a_partition(n, stopped="unreadable") for n in range(9)]),
     "stopped", "9 partitions are", None),
    (a_status(group={"protocol": "consumer", "members": ["it"], "state": "Stable", "says_who_reads": True}),
     "stopped", "a group of its own", None),
    (a_status(intake=[a_stop(FUSE)]), "stopped",
     "the fuse has stopped the intake of users (a message): `projector resume --topic users` once the cause is gone",
     None),
    (a_status(intake=[a_stop(FUSE, ALL)]), "stopped", "of all topics", None),
    (a_status(intake=[a_stop(PAUSED)]), "stopped", "users is paused by eve@host (a message)",
     "projector resume --topic users"),
    (a_status(intake=[a_stop(PAUSED, ALL, actor=None, message=None)]), "stopped", "all topics is paused",
     "projector resume"),
    (a_status(intake=[a_stop(ACCEPTED)]), "ok", "are read", None),
    (a_status(group={"protocol": "classic", "members": [], "state": "Empty"}), "stopped", "no instance of the service",
     "projector run"),
    (a_status(group={"protocol": "classic", "members": ["one"], "state": "PreparingRebalance"}), "behind", "divides",
     "projector status --watch"),
    (a_status(partitions=[a_partition(), a_partition(1, member=None)]), "stopped", "no instance reads users:1",
     "projector status --watch"),
    (a_status(partitions=[a_partition(member=None)], group={"protocol": "classic", "members": ["one"],
     "state": "Stable", "says_who_reads": False}), "ok", "on their way", None),
    (a_status(partitions=[a_partition(lag=1200, lag_seconds=61.0)]), "behind", "1,200 records of users:0",
     "projector traffic"),
    (a_status(partitions=[a_partition(lag=1200, lag_seconds=None)]), "ok", "1,200 records are on their way", None),
    (a_status(partitions=[a_partition(open_transaction_seconds=70.0)]), "behind", "open transaction holds back", None),
    (a_status(rejected_lately=LATELY, dead_letters=20, dead_letters_lately=9), "look",
     "9 records were rejected in the last 10 minutes, most: "
     "invalid_data from /shop", "projector dead-letters list --summary"),
    (a_status(partitions=[a_partition()]), "ok", "1 partition is read, 0 records are on their way", None),
    (a_status(partitions=[a_partition(lag=1)]), "ok", "1 partition is read, 1 record is on its way", None),
    (a_status(partitions=[a_partition(lag=1, lag_seconds=200_000)]), "behind",
     "1 record of users:0 is not applied yet, the oldest for 2 days", "projector traffic"),
    (a_status(rejected_lately=LATELY, dead_letters_lately=1), "look", "1 record was rejected",
     "projector dead-letters list"),
    (a_status(dead_letters=1), "look", "1 dead letter waits for", "projector dead-letters list"),
    (a_status(refused=1), "look", "refused 1 state that", "projector parked retry --all"),
    (a_status(contested=1), "look", "1 contested waits for", "projector parked list"),
    (a_status(dead_letters=20), "look", "20 dead letters", "projector dead-letters list --summary"),
    (a_status(refused=2), "look", "refused 2 states", "projector parked retry --all"),
    (a_status(parked_states=1, parked_events=2, contested=1), "look", "3 parked and 1 contested",
     "projector parked list"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "level", "says", "then"), CASES, ids=[case[2] for case in CASES])
def test_one_thing_is_wrong(status: dict[str, Any], level: str, says: str, then: str | None) -> None:
    (found,) = findings(status)
    assert (found.level, found.next) == (level, then)
    assert says in found.says
    if then is not None:
        parsed(shlex.split(then)[1:])


def test_of_many_things_the_worst_is_first_and_none_is_left_out() -> None:
    late = [a_partition(lag=9, lag_seconds=90.0), a_partition(1, stopped="topic_changed")]
    all_of_it = a_status(partitions=late, intake=[a_stop(PAUSED), a_stop(FUSE)], refused=1, dead_letters=3, contested=1)
    assert [one.level for one in findings(all_of_it)] == ["stopped"] * 3 + ["behind"] + ["look"] * 3


@pytest.mark.parametrize(("topic", "option"), [("users", " --topic users"), (ALL, "")])
def test_of_a_blown_fuse_letters_are_listed_where_there_are_any(topic: str, option: str) -> None:
    """Of a flood that blows it at once none is kept yet."""
    (first, *_) = findings(a_status(intake=[a_stop(FUSE, topic)], dead_letters=20))
    assert first.next == f"projector dead-letters list{option} --summary"
