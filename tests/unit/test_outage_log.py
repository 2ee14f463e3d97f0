"""The log of an outage names its first error, and another one that comes in its place, at most once a minute."""

import logging

import pytest

from neon_projector.consumer.errors import TransientError
from neon_projector.consumer.kafka.watch import Watch
from neon_projector.consumer.logs.changes import SAY_SECONDS, Changes
from neon_projector.consumer.telemetry.answers import KafkaAnswers
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.state import ServiceState


def test_another_kind_is_news_once_a_minute_and_the_same_one_never() -> None:
    now = 1000.0
    changes = Changes(lambda: now)
    assert [changes.is_news(kind) for kind in ("refused", "refused", "timeout")] == [True, False, False]
    now += SAY_SECONDS
    assert [changes.is_news(kind) for kind in ("refused", "timeout", "refused")] == [False, True, False]
    changes.over()
    assert [changes.is_news(kind) for kind in ("timeout", "refused")] == [True, False]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """What is logged, where another kind may be said at once."""
    monkeypatch.setattr("neon_projector.consumer.logs.changes.SAY_SECONDS", 0.0)
    caplog.set_level(logging.INFO)
    return caplog


def said(lines: pytest.LogCaptureFixture) -> list[str]:
    return [vars(record)["error"] for record in lines.records if record.levelno == logging.WARNING]


async def test_the_watch_names_the_present_error(lines: pytest.LogCaptureFixture) -> None:
    watch = Watch({"bootstrap_servers": "nowhere:1"}, ["users"])
    for why in ("KafkaConnectionError", "KafkaConnectionError", "TimeoutError"):
        watch._troubled(why)
    assert said(lines) == ["KafkaConnectionError", "TimeoutError"]
    assert "after_seconds" in vars(lines.records[-1])
    watch.heard()
    watch._troubled("TimeoutError")
    assert said(lines) == ["KafkaConnectionError", "TimeoutError", "TimeoutError"]


def test_whoever_asks_kafka_names_the_present_error(lines: pytest.LogCaptureFixture) -> None:
    answers = KafkaAnswers(Metrics(), ServiceState("a group"))
    for number, why in enumerate(("no broker can be reached", "no broker can be reached", "no answer in time")):
        answers.troubled(TransientError(why, "kafka"), again=number > 0)
    assert [one.rpartition(": ")[2] for one in said(lines)] == ["no broker can be reached", "no answer in time"]
    answers.answered()
    answers.troubled(TransientError("no answer in time", "kafka"), again=False)
    assert len(said(lines)) == 3
