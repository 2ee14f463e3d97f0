"""What the Kafka client writes 70 times a second in an outage is one line until the state changes."""

import logging

from neon_projector.consumer.logs.repeats import REPEAT_SECONDS, Repeats

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
