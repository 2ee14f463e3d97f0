"""What the page says of an instance, by what the instance knows of itself."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from math import nan
from typing import Any

import pytest
from aiokafka import TopicPartition

from neon_projector.consumer.offsets.intake_stops import FUSE, PAUSED, Stop
from neon_projector.consumer.telemetry.page.about import changed_settings
from neon_projector.consumer.telemetry.page.failing import findings
from neon_projector.consumer.telemetry.page.handbook import DOCUMENTS, document
from neon_projector.consumer.telemetry.page.routes import Page
from neon_projector.consumer.telemetry.page.sampler import Freshness
from neon_projector.consumer.telemetry.page.verdict import verdict
from neon_projector.consumer.telemetry.state import CHECKS, ServiceState
from tests.support.documents import ROOT
from tests.support.page_states import NOW, PARTITIONS, SETTINGS, STATES, a_page, a_state

PAGE_BYTES = 150_000


async def view(page: Page) -> dict[str, Any]:
    return json.loads(bytes((await page.state()).body))["view"]  # type: ignore[no-any-return]  # it is JSON


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("idle", "All caught up: 15 ms behind, 4 waiting"),
        ("draining", r"Catching up: 2,104,000 records to go, 1\d,\d{3} a second, about \d+ (s|min) left"),
        ("paused", "Stopped: intake of all topics paused 4 min ago by an operator"),
        ("database_away", "Stopped: nothing can be written"),
        ("partition_stopped", "Stopped: users:3 is not read"),
        ("nothing_yet", "Joining: this instance joins the group"),
    ],
)
async def test_one_line_says_how_it_stands(name: str, said: str) -> None:
    _, _, page = a_page(name)
    verdict = (await view(page))["verdict"]
    assert re.fullmatch(said, f"{verdict['word']}: {verdict['says']}")


def fails(check: str, state: ServiceState) -> None:
    """Let the check fail."""
    if check == "loop":
        state.last_beat -= 20
    elif check == "group":
        state.joined = False
    elif check == "writes":
        state.conflicts[1] = "another transaction holds a row"
    elif check == "kafka":
        state.kafka_silent = "no broker answers"
    elif check == "topics":
        state.missing_topics = {"users"}
    elif check == "intake":
        state.intake_stopped = "fuse"
    elif check == "partitions":
        state.stopped_partitions = {PARTITIONS[0]: "topic_changed"}
    elif check == "lag":
        state.lag_seconds = {PARTITIONS[0]: 1_000.0}


def untold(state: ServiceState) -> None:
    """Kafka has not told of one partition what stands there."""
    del state.lag[PARTITIONS[0]], state.lag_seconds[PARTITIONS[0]]


def without_partitions(state: ServiceState) -> None:
    """None is given to it, and others have all that there are."""
    state.positions, state.lag, state.lag_seconds = {}, {}, {}
    this, other = state.members
    state.members = (this._replace(partitions=frozenset()), other)


def alone_without_partitions(state: ServiceState) -> None:
    """None is given to it, and there are no others."""
    without_partitions(state)
    state.members = state.members[:1]


def others_without_partitions(state: ServiceState) -> None:
    """None is given to anybody yet."""
    without_partitions(state)
    state.members = tuple(one._replace(partitions=frozenset()) for one in state.members)


def uncounted(state: ServiceState) -> None:
    """The database has not answered since the start."""
    state.waiting, state.waited, state.letters, state.counted_at = {}, {}, {}, None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (untold, "Looking: Kafka has not told yet what is left in documents:0"),
        (without_partitions, "Standing by: other instances read all partitions"),
        (alone_without_partitions, "Joining: no partition is given to this instance yet"),
        (others_without_partitions, "Joining: no partition is given to this instance yet"),
        (uncounted, "All caught up: 15 ms behind, what waits is not counted yet"),
    ],
)
async def test_what_is_not_known_is_not_said_to_be_well(change: Callable[[ServiceState], None], said: str) -> None:
    state, _, page = a_page("idle")
    change(state)
    verdict = (await view(page))["verdict"]
    assert f"{verdict['word']}: {verdict['says']}" == said


@pytest.mark.parametrize(
    ("p50", "said"), [(1.9, "1.9 s behind"), (35.0, "last commit 7 s ago"), (nan, "last commit 7 s ago")]
)
def test_who_has_caught_up_is_not_said_to_be_far_behind(p50: float, said: str) -> None:
    state = a_state()
    state.last_commit_at = NOW - 7
    told = verdict(state, [], Freshness(p50, p50), 0.0, NOW)
    assert (told.word, told.says) == ("All caught up", f"{said}, 4 waiting")


async def test_a_second_without_a_sample_is_a_second_of_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    state, _, page = a_page("idle")
    before = await view(page)
    monkeypatch.setattr(page.sampler, "take", lambda _: 1 / 0)
    state.kafka_silent = "no broker answers"
    page.sample()
    after = await view(page)
    assert after["now"] > before["now"]
    assert after["verdict"]["level"] == "stopped"


async def test_the_samples_of_another_instance_are_asked_for_anew() -> None:
    state, _, page = a_page("idle")
    first = json.loads(bytes((await page.state()).body))
    for of, number in ((state.started_at, 0), (state.started_at - 1, 900)):
        again = json.loads(bytes((await page.state(first["next"], of)).body))
        assert len(again["curves"]["t"]) == number


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_that_fails_has_its_words_a_command_and_a_section_of_the_runbook(check: str) -> None:
    state = a_state()
    fails(check, state)
    found = [one for one in findings(state, 60, NOW) if one.check is not None]
    assert {one.check for one in found} == {check}
    for one in found:
        assert one.short
        assert one.command.startswith("projector ")
        assert f'id="{one.runbook}"' in document("runbook").decode()


def test_a_line_tells_all_of_it_also_where_another_one_is_above_it() -> None:
    state = a_state()
    since = datetime.fromtimestamp(NOW - 250, UTC)
    paused = Stop("key", "users", PAUSED, "eve", since, None, None, 0.0, ())
    state.stops, state.intake_stopped = [paused, paused._replace(topic="documents", reason=FUSE)], "paused"
    state.missing_topics = {"documents"}
    state.unread = {TopicPartition("users", n): "nobody has it" for n in range(500)}
    found = findings(state, 60, NOW)
    assert found[0].short == "the topic documents does not exist any more, and others"
    assert [one.says for one in found][:3] == [
        "the topic documents does not exist any more; 500 partitions are not read: nobody has it",
        "an operator has paused the intake of users, 4 min ago; it goes on with this command",
        "the fuse has stopped the intake of documents, 4 min ago: nearly all records are rejected; "
        "`projector resume --topic documents` once the cause is gone",
    ]


@pytest.mark.parametrize(
    ("letters", "command"),
    [({"invalid_json": 2}, "projector dead-letters list --topic users --summary"), ({}, "projector status")],
)
def test_of_a_blown_fuse_letters_are_listed_where_there_are_any(letters: dict[str, int], command: str) -> None:
    state = a_state()
    since = datetime.fromtimestamp(NOW - 250, UTC)
    state.stops, state.letters = [Stop("key", "users", FUSE, None, since, None, None, 0.0, ())], letters
    state.intake_stopped = "fuse"
    assert findings(state, 60, NOW)[0].command == command


def test_the_worst_comes_first_and_what_is_to_be_decided_last() -> None:
    state = a_state()
    state.waiting["refused"] = 3
    for check in CHECKS:
        fails(check, state)
    found = findings(state, 60, NOW)
    levels = [one.level for one in found]
    assert levels == sorted(levels, key=("stopped", "behind", "look").index)
    assert [one.command for one in found][-2:] == [
        "projector dead-letters list --summary",
        "projector parked retry --all",
    ]
    assert "projector offsets reset --topic documents:0 --to-earliest" in [one.command for one in found]


def test_settings_are_shown_where_they_differ_and_are_no_secret() -> None:
    shown = changed_settings(SETTINGS)
    assert shown == {
        "KAFKA_BOOTSTRAP_SERVERS": "kafka-1:9092,kafka-2:9092",
        "KAFKA_SASL_USERNAME": "set",
        "KAFKA_SASL_PASSWORD": "set",
        "BATCH_MAX_EVENTS": "2000",
        "READY_MAX_LAG_SECONDS": "60",
        "USERS_TOPIC": "users",
        "DOCUMENTS_TOPIC": "documents",
    }


@pytest.mark.parametrize("name", STATES)
async def test_no_secret_no_name_and_no_word_of_an_operator_is_in_it(name: str) -> None:
    _, _, page = a_page(name)
    told = bytes((await page.state()).body).decode()
    assert "secret" not in told
    assert "somebody" not in told


async def test_what_others_hold_is_told_and_said_to_be_theirs() -> None:
    _, _, page = a_page("idle")
    told = await view(page)
    by = {f"{one['topic']}:{one['partition']}": one["by"] for one in told["partitions"]}
    assert (by["users:0"], by["users:4"]) == ("here", "10.0.3.21")
    assert [(one["this"], one["partitions"]) for one in told["members"]] == [(True, 8), (False, 8)]


async def test_only_new_samples_are_sent_again() -> None:
    _, _, page = a_page("idle")
    first = json.loads(bytes((await page.state()).body))
    again = json.loads(bytes((await page.state(first["next"])).body))
    assert (len(first["curves"]["t"]), again["curves"]["t"], again["next"]) == (900, [], first["next"])


async def test_the_page_and_its_first_answer_weigh_below_150_kb() -> None:
    _, _, page = a_page("draining")
    parts = [file.read_bytes() for file in files("neon_projector.consumer.telemetry.page").joinpath("static").iterdir()]
    assert sum(map(len, parts)) + len((await page.state()).body) < PAGE_BYTES


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_handbook_is_the_document_and_leads_nowhere_else(name: str) -> None:
    html = document(name).decode()
    assert not re.search(r'(href|src)="(\w+:|/)', html)
    assert "style=" not in html
    assert "<script" not in html
    assert "<pre>" not in html, "a keyboard scrolls it"
    assert "<th></th>" not in html, "what has no name is no heading"
    assert html.count("<tr>") >= (ROOT / "docs" / f"{name}.md").read_text().count("|---")
    for target, anchor in re.findall(r'href="(\w+)\.html#([^"]+)"', html):
        assert f'id="{anchor}"' in document(target).decode()
