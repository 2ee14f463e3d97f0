"""Checks the events of one file: each line by the service's own decoder, and all of them beside each other."""

from neon_projector.projections.checking.across import Across
from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.checking.reading import Reading
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.contract.record import Record


class Checker:
    """Give it each record with the number of its line. What it says needs neither broker nor database. `decode` is the
    service's decoder, as strict as the service is."""

    def __init__(self, registry: Registry, decode: Decoder) -> None:
        self._read = Reading(registry, decode)
        self._across = Across(registry)

    def check(self, line: int, record: Record) -> tuple[Event | None, list[Problem]]:
        """The event, where the service would read one, and what is wrong with it."""
        event, problems = self._read(line, record)
        if event is not None:
            self._across.add(line, event)
        return event, problems

    def end(self) -> list[Problem]:
        """What does not go together, when every line was given."""
        return [*self._across.end()]
