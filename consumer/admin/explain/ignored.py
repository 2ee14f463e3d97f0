"""What records of an id say that the service ignores: their type is unknown to it."""

from collections.abc import Iterable, Iterator

from neon_projector.consumer.apply.oddities import oddities
from neon_projector.consumer.wording import counted, verb
from neon_projector.projections.contract.event import Ignored
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.contract.similar import similar_type


def said_ignored(ignored: Iterable[Ignored], registry: Registry) -> Iterator[tuple[str, bool]]:
    """A sentence for each unknown type, and whether it resembles one of the contract: then it is a mistake, probably.

    The last word is a name that a publisher gave, as a log may show it.
    """
    for odd in oddities(ignored, registry.event_types):
        meant = f"; did {odd.source} mean {odd.resembles}?" if odd.resembles else ""
        said = f"{counted(odd.number, 'record')} of it {verb(odd.number, 'is', 'are')} of the type {odd.name}"
        where = f"the last at {odd.topic}:{odd.partition} offset {odd.last_offset}"
        yield f"{said}, which this service does not know ({where}){meant}", odd.resembles is not None


def said_type(name: str | None, types: Iterable[str]) -> str:
    """Why a record of this type (None: a null value) is ignored."""
    if name is None:
        return "ignored: a null value, as for compaction"
    like = similar_type(name, types)
    return "ignored: no type that this service knows" + (f"; did you mean {like}?" if like else "")
