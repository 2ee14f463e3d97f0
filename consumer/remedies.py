"""What is said of a stop, and the command that ends it: the same words in `projector status` and on the page."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from neon_projector.consumer.offsets.intake_stops import ALL, FUSE, Stop, lifted_by
from neon_projector.consumer.wording import counted

Place = tuple[str, int]
"""A topic and the number of a partition."""

NAMED = 3
"""So many partitions are named one by one."""

WHY_STOPPED = {
    "position_not_in_topic": "Kafka does not have the record at the position (any more)",
    "topic_changed": "the topic was deleted and created again",
    "unreadable": "Kafka has the next records, but they can't be read; the service's log names them",
}
LISTS_LETTERS = "projector dead-letters list"
WATCHES = "projector status --watch"
SAYS_WHO_SENDS = "projector traffic"


def looked_into_by(stop: Stop, *, letters: bool) -> str | None:
    """The command that shows why the fuse has blown: None where there are no dead letters, as nothing of the batch is
    kept. Of a pause the one that lifts it."""
    if stop.reason != FUSE:
        return lifted_by(stop.topic)
    if not letters:
        return None
    topic = "" if stop.topic == ALL else f" --topic {stop.topic}"
    return f"{LISTS_LETTERS}{topic} --summary"


def moved_by(stopped: Collection[Place], every: Iterable[Place], reason: str) -> str | None:
    """The command that gives these partitions a new position, where `every` one is known; None where a person has to
    look first."""
    return None if reason == "unreadable" else f"projector offsets reset {scope(stopped, every)} --to-earliest"


def intake(topic: str) -> str:
    """`the intake of users`, or of all topics."""
    return "the intake of all topics" if topic == ALL else f"the intake of {topic}"


def shows_letters(number: int) -> str:
    """What shows so many dead letters: many of them by whom and why."""
    return LISTS_LETTERS if number == 1 else f"{LISTS_LETTERS} --summary"


def named(places: Collection[Place]) -> str:
    """`users:0, users:1`, or `40 partitions`."""
    many = len(places) > NAMED
    return counted(len(places), "partition") if many else ", ".join(f"{topic}:{number}" for topic, number in places)


def scope(places: Iterable[Place], every: Iterable[Place]) -> str:
    """Options that name all of these: `--topic users:0,3`, or `--topic users` where these are all of its partitions."""
    meant: defaultdict[str, list[str]] = defaultdict(list)
    there = Counter(topic for topic, _ in every)
    for topic, number in places:
        meant[topic].append(str(number))
    scopes = (f"{topic}:{','.join(own)}" if len(own) < there[topic] else topic for topic, own in meant.items())
    return " ".join(f"--topic {one}" for one in scopes)
