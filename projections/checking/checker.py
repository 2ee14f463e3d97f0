"""Checks the events of one file: each line by the service's own decoder, and all of them beside each other."""

from neon_projector.projections.checking.across import Across
from neon_projector.projections.checking.problem import Problem, problems_of
from neon_projector.projections.checking.warnings import MISNAMED_FIELD, UNKNOWN_TYPE
from neon_projector.projections.contract.decode import EVENT_MAX_BYTES, Decoder
from neon_projector.projections.contract.event import Event, MisnamedEvent, Rejection
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.contract.record import Record
from neon_projector.projections.contract.similar import similar_type


class Checker:
    """Give it each record with the number of its line. What it says needs neither broker nor database.

    `strict`: as for `Decoder`.
    """

    def __init__(self, registry: Registry, max_bytes: int = EVENT_MAX_BYTES, *, strict: bool = False) -> None:
        self._types = registry.event_types
        self._decode = Decoder(registry, max_bytes, strict=strict)
        self._across = Across(registry)

    def check(self, line: int, record: Record) -> tuple[Event | None, list[Problem]]:
        """The event, where the service would read one, and what is wrong with it."""
        decoded = self._decode(record)
        if isinstance(decoded, Rejection):
            return None, problems_of(line, decoded)
        if isinstance(decoded, Event):
            return decoded, [*_misnamed(line, decoded), *self._across.add(line, decoded)]
        meant = similar_type(decoded.type or "", self._types)
        return None, [UNKNOWN_TYPE.at(line, meant=f" ({meant} is meant?)" if meant else "")]

    def end(self) -> list[Problem]:
        """What does not go together, when every line was given."""
        return [*self._across.end()]


def _misnamed(line: int, event: Event) -> list[Problem]:
    names = event.misnamed if isinstance(event, MisnamedEvent) else {}
    return [MISNAMED_FIELD.at(line, field=f"data.{field}", came=names[field]) for field in sorted(names)]
