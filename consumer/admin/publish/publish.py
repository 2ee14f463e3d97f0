"""Checks a file of events, and publishes it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

from neon_projector.consumer.admin.publish.lines import records_of
from neon_projector.consumer.admin.publish.message import Message, Mode, message_of
from neon_projector.consumer.admin.publish.sending import Sent, send
from neon_projector.consumer.decoder import decoder_of
from neon_projector.consumer.kafka.topics import require_some
from neon_projector.consumer.settings import EventSettings, KafkaSettings
from neon_projector.projections.checking.checker import Checker
from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry


@dataclass
class Checked:
    """What a check has found."""

    lines: int = 0
    """Those that are not empty."""
    events: int = 0
    """Those that the service would read."""
    problems: list[Problem] = field(default_factory=list)
    """In the order of the lines."""

    @property
    def bad(self) -> set[int]:
        """The lines that the service would reject."""
        return {problem.line for problem in self.problems if not problem.warning}


def check(file: IO[bytes], registry: Registry, settings: EventSettings, told: Callable[[int], None]) -> Checked:
    """Check each line, and all beside each other. Needs no server."""
    checker, found = Checker(registry, decoder_of(settings, registry)), Checked()
    for line, record in records_of(file):
        found.lines += 1
        if isinstance(record, Problem):
            found.problems.append(record)
        else:
            event, problems = checker.check(line, record)
            found.events += event is not None
            found.problems += problems
        told(found.lines)
    found.problems = sorted([*found.problems, *checker.end()], key=lambda problem: problem.line)
    return found


@dataclass(frozen=True)
class Way:
    """How to publish: in which mode, how many a second at most, and from which line on."""

    mode: Mode = Mode.STRUCTURED
    rate: float | None = None
    from_line: int = 1


async def publish(
    file: IO[bytes], registry: Registry, settings: KafkaSettings, way: Way, sent: Sent, told: Callable[[int], None]
) -> None:
    """Publish every event of the file that the service reads; the others are left out. Errors as of `send`;
    TopicMissing, before anything is sent."""
    topics = {projection.entity: settings.topics[projection.topic_setting] for projection in registry}
    decode = decoder_of(settings, registry)
    used = {topics[event.entity] for _, event in _events(file, decode, way.from_line)}
    await require_some(settings, sorted(used))
    await send(settings, _messages(file, decode, topics, way), sent, way.rate, told)


def _messages(file: IO[bytes], decode: Decoder, topics: dict[str, str], way: Way) -> Iterator[tuple[int, Message]]:
    for line, event in _events(file, decode, way.from_line):
        yield line, message_of(event.record, event, topics[event.entity], way.mode)


def _events(file: IO[bytes], decode: Decoder, from_line: int) -> Iterator[tuple[int, Event]]:
    for line, record in records_of(file):
        if line >= from_line and not isinstance(record, Problem):
            event = decode(record)
            if isinstance(event, Event):
                yield line, event
