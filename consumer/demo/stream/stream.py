"""The stream: which stories are told, how often, and in which waves.

Most entities' events are published in order, and a user before any document that is theirs; but users and documents
are two topics, read independently, so that a document may well be applied before its user. The stories in `unruly` are
in disorder on purpose: late, early, orphaned, contested, deleted. To add a kind of event, add a story to STORIES: it
changes the truth and returns its records, or gives some to `Stage.hold_back`, which brings them later. What must be
kept aside at the end, it puts into `Truth.absent` and `Truth.parked`.
"""

from collections.abc import Callable

from neon_projector.consumer.demo.stream import bad, documents, unruly, users
from neon_projector.consumer.demo.stream.stage import Stage
from neon_projector.consumer.demo.stream.truth import Truth
from neon_projector.consumer.demo.stream.wire import DemoRecord, record_of

Story = Callable[[Stage], list[DemoRecord]]
"""Changes the truth and returns the records that tell of it; no records: it can't be played now."""


def sent_twice(stage: Stage) -> list[DemoRecord]:
    """An event of late once more, maybe in the other mode: it must change nothing."""
    return [record_of(stage.rng.choice(stage.sent), stage.rng)] if stage.sent else []


def sent_again_late(stage: Stage) -> list[DemoRecord]:
    """The same, but a good while later: its entity may have changed many times, or be gone."""
    for record in sent_twice(stage):
        stage.hold_back(record, stage.rng.randrange(1000))
    return []


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
    (5.5, sent_twice),
    (0.5, sent_again_late),
    (1, ignored),
    (1, unruly.early_document),
    (1, unruly.late_base),
    (0.3, unruly.orphaned),
    (0.3, unruly.without_base),
    (0.7, unruly.contested),
    (0.7, unruly.deleted_with_documents),
    (1.5, bad.broken_event),
    (1, bad.broken_record),
    (0.01, bad.too_large),
    (0.5, bad.wrong_owner),
    (0.5, bad.of_the_deleted),
    (0.5, bad.version_conflict),
)
"""Each with its weight."""


class Stream:
    """The records of one story after the other, without end. `seed` makes the same stories again."""

    def __init__(self, truth: Truth, seed: int) -> None:
        self.stage = Stage(truth, seed)

    def take(self) -> list[DemoRecord]:
        """What is to be published next, in this order, by all means: the truth knows of it already."""
        weights, stories = zip(*STORIES, strict=True)
        while True:
            records = self.stage.late()
            (story,) = self.stage.rng.choices(stories, weights)
            if records := [*records, *story(self.stage)]:
                return records

    def rest(self) -> list[DemoRecord]:
        """What is still held back: to be published when nothing else comes."""
        return self.stage.late(everything=True)
