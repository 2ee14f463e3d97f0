"""The stream: which stories are told, how often, and in which waves.

Each entity's events are published in order, and a user before any document that is theirs; but users and documents
are two topics, read independently, so that a document may well be applied before its user. To add a kind of event
(late, early, orphaned, contested), add a story to STORIES: it changes the truth and returns its records.
"""

import math
from collections.abc import Callable, Iterator

from consumer.demo import bad, documents, users
from consumer.demo.stage import Stage
from consumer.demo.truth import Truth
from consumer.demo.wire import DemoRecord, record_of

Story = Callable[[Stage], list[DemoRecord]]
"""Changes the truth and returns the records that tell of it; no records: it can't be played now."""

MEAN_RATE = 1250.0
"""Records a second, over whole waves."""
WAVE_SECONDS = 4.0
DEPTH = 0.9
"""How far a wave goes down and up from the mean, as a part of it."""

LIVELY_SECONDS, CALMER = 60.0, 8.0
"""After so long the rate is divided by so much: the embedded broker keeps every record in memory, 1 KB or more each."""


def sent_twice(stage: Stage) -> list[DemoRecord]:
    """An event of late once more, maybe in the other mode: it must change nothing."""
    return [record_of(stage.rng.choice(stage.sent), stage.rng)] if stage.sent else []


def ignored(stage: Stage) -> list[DemoRecord]:
    """A type that the contract does not know, or a compaction marker."""
    event = stage.event("user.logged_in", {"id": stage.new_id(), "version": 1}, stage.now(), {})
    if stage.chance(0.5):
        return [DemoRecord("users", str(event.id).encode(), None, ignored=True)]
    record = record_of(event, stage.rng)
    return [DemoRecord(record.topic, record.key, record.value, record.headers, ignored=True)]


STORIES: tuple[tuple[float, Story], ...] = (
    (12, users.created),
    (8, users.replaced),
    (10, users.renamed),
    (6, users.moved),
    (20, documents.created),
    (8, documents.replaced),
    (12, documents.edited),
    (7, documents.transferred),
    (5, documents.deleted),
    (1, documents.restored),
    (6, sent_twice),
    (1, ignored),
    (1.5, bad.broken_event),
    (1, bad.broken_record),
    (0.01, bad.too_large),
    (0.5, bad.wrong_owner),
    (0.5, bad.of_the_deleted),
    (0.5, bad.version_conflict),
)
"""Each with its weight."""


def acts(truth: Truth, seed: int) -> Iterator[list[DemoRecord]]:
    """For ever: the records of one story after the other. All of them must be published, in this order."""
    stage = Stage(truth, seed)
    weights, stories = zip(*STORIES, strict=True)
    while True:
        (story,) = stage.rng.choices(stories, weights)
        if records := story(stage):
            yield records


def due(seconds: float) -> float:
    """How many records are to be published by then: it rises in waves, from a calm, and later on less steeply."""
    lively = min(seconds, LIVELY_SECONDS)
    return _waves(lively) + _waves(seconds - lively) / CALMER


def _waves(seconds: float) -> float:
    turn = math.tau / WAVE_SECONDS
    return MEAN_RATE * (seconds - DEPTH * math.sin(turn * seconds) / turn)
