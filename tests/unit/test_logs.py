"""What the Kafka client writes 70 times a second in an outage is one line until the state changes."""

import logging
from pathlib import Path

import aiokafka
import pytest

from neon_projector.consumer.logs.client_lines import MEANINGS, ClientLines
from neon_projector.consumer.logs.repeats import REPEAT_SECONDS, Repeats
from neon_projector.consumer.logs.trace_lines import EVERY_SECONDS, TraceLines

CLIENT = "aiokafka.consumer.fetcher"


def a_line(text: str, name: str = CLIENT, at: float = 1_000.0) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, text, ("node", "why"), None)
    record.created = at
    return record


def test_lines_that_mean_that_a_broker_is_away_are_one_until_it_answers_again() -> None:
    repeats = Repeats()
    assert repeats.filter(a_line("Failed fetch messages from %s: %s"))
    for text in ("Failed fetch messages from %s: %s", "Unable connect to node with id %s: %s"):
        assert not repeats.filter(a_line(text))
    repeats.forget()
    assert repeats.filter(a_line("Unable connect to node with id %s: %s"))


def test_the_first_of_any_other_kind_is_never_hidden() -> None:
    repeats = Repeats()
    for text in ("Failed fetch messages from %s: %s", "Topic %s not found %s", "Unexpected error: %s %s"):
        assert repeats.filter(a_line(text))
        assert not repeats.filter(a_line(text))


def test_what_goes_on_is_said_again_with_how_often_it_came() -> None:
    repeats = Repeats()
    for second in (0, 1, 2, 3):
        repeats.filter(a_line("Unexpected error: %s %s", at=second))
    late = a_line("Unexpected error: %s %s", at=REPEAT_SECONDS)
    assert repeats.filter(late)
    assert vars(late)["repeated"] == 3


def test_lines_of_others_pass() -> None:
    repeats = Repeats()
    for _ in range(3):
        assert repeats.filter(a_line("Failed fetch messages from %s: %s", name="neon_projector.consumer.service"))


CLIENT_LINES = [
    ("Group Coordinator Request failed: %s", "info", "Kafka has no coordinator for this group yet; the Kafka client"),
    ("Failed fetch messages from %s: %s", "warning", "a broker brings no records; the Kafka client tries again"),
    ("Something that nobody knows %s %s", "warning", "Something that nobody knows node why"),
]


@pytest.mark.parametrize(("text", "level", "says"), CLIENT_LINES)
def test_a_line_of_the_kafka_client_is_said_in_our_words_at_our_level(
    caplog: pytest.LogCaptureFixture, text: str, level: str, says: str
) -> None:
    line = a_line(text)
    line.args = ("node", "why")[: text.count("%s")]
    caplog.set_level(logging.INFO, "neon_projector")
    assert ClientLines().filter(line)
    assert (line.levelname.lower(), line.getMessage().startswith(says)) == (level, True)


def test_a_failure_of_the_client_itself_stays_an_error_and_what_is_below_the_level_goes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bug = a_line("Unexpected error in fetcher routine")
    bug.exc_info = (ValueError, ValueError(), None)
    assert ClientLines().filter(bug)
    assert bug.levelname == "ERROR"
    caplog.set_level(logging.WARNING, "neon_projector")
    assert not ClientLines().filter(a_line("Group Coordinator Request failed: %s %s"))


@pytest.mark.parametrize("begins", [begins for begins, _, _ in MEANINGS])
def test_each_line_that_is_translated_is_one_that_the_client_writes(begins: str) -> None:
    texts = [path.read_text() for path in Path(aiokafka.__file__).parent.rglob("*.py")]
    assert any(begins in text for text in texts)


def test_lines_of_what_sends_traces_are_one_in_ten_minutes_without_the_librarys_text() -> None:
    lines, level = TraceLines(), logging.ERROR
    refused = ("Failed to export %s batch code: %s, reason: %s", ("spans", 401, "key=secret"))
    record = logging.LogRecord("opentelemetry.exporter.otlp", level, "", 1, *refused, (ValueError, ValueError(), None))
    record.created = 1_000.0
    assert lines.filter(record)
    assert (record.getMessage(), record.levelname) == ("traces are not delivered, or not all", "WARNING")
    assert (vars(record)["status"], record.exc_info) == (401, None)
    again = [a_line("x secret", name, 1_001.0) for name in ("opentelemetry.sdk", "urllib3.pool", "requests")]
    assert [lines.filter(one) for one in again] == [False] * 3
    late = a_line("Queue full, dropping %s.", "opentelemetry.sdk._shared_internal", 1_000.0 + EVERY_SECONDS)
    assert lines.filter(late)
    assert vars(late)["repeated"] == 3
    assert lines.filter(mine := a_line("of our own", "neon_projector.consumer", 1_001.0))
    assert mine.msg == "of our own"
