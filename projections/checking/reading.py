"""What is wrong with one record, by the service's own decoder."""

from collections.abc import Callable

from neon_projector.projections.checking.problem import Problem, problems_of
from neon_projector.projections.checking.warnings import MISNAMED_FIELD, NO_EVENT, UNKNOWN_TYPE
from neon_projector.projections.contract.event import Decoded, Event, Ignored, MisnamedEvent, Rejection
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.contract.record import Record
from neon_projector.projections.contract.similar import similar_type


class Reading:
    """Give it a record with its number: it hands back the event, where the service would read one, and what is wrong
    with it. `decode` is the service's decoder, as strict as the service is."""

    def __init__(self, registry: Registry, decode: Callable[[Record], Decoded]) -> None:
        self._types, self._decode = registry.event_types, decode

    def __call__(self, line: int, record: Record) -> tuple[Event | None, list[Problem]]:
        """It never raises."""
        decoded = self._decode(record)
        if isinstance(decoded, Event):
            return decoded, _misnamed(line, decoded)
        return None, problems_of(line, decoded) if isinstance(decoded, Rejection) else [self._ignored(line, decoded)]

    def _ignored(self, line: int, ignored: Ignored) -> Problem:
        if ignored.type is None:
            return NO_EVENT.at(line)
        meant = similar_type(ignored.type, self._types)
        return UNKNOWN_TYPE.at(line, meant=f" ({meant} is meant?)" if meant else "")


def _misnamed(line: int, event: Event) -> list[Problem]:
    names = event.misnamed if isinstance(event, MisnamedEvent) else {}
    return [MISNAMED_FIELD.at(line, field=f"data.{field}", came=names[field]) for field in sorted(names)]
