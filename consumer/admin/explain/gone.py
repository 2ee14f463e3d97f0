"""What was written and is gone without an event: how that is said, and which command brings it back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from neon_projector.consumer.admin.explain.gone_with import Child
from neon_projector.consumer.admin.explain.search import Place
from neon_projector.consumer.admin.kept import Kept
from neon_projector.consumer.wording import counted, first_of, verb
from neon_projector.projections.contract.projection import Registry

LISTED = 3
"""So many children that are gone are named."""


def applied(places: Iterable[Place], letters: Iterable[Mapping[str, Any]], kept: Kept) -> list[Place]:
    """Those that did not become dead letters, by version."""
    rejected = kept.places(letters)
    return sorted((p for p in places if p[:3] not in rejected), key=lambda place: place.version)


def said_gone(places: list[Place], registry: Registry) -> str:
    """What to know where these were applied, and nothing is stored of them."""
    last = places[-1]
    where = f"{last.topic}:{last.partition} offset {last.offset}"
    said = f"its {last.entity} was written up to version {last.version} ({where})"
    if last.deletes:
        return f"{said}, which deletes it; the service's note of that was removed by hand or by another program"
    parents = "/".join(parent.entity for parent in registry[last.entity].parents)
    also = f", or with its {parents}" if parents else ""
    return f"{said}, and is gone without an event: deleted by hand or by another program{also}"


def brings_back(entity_id: Any) -> str:
    """The command that brings it back, with what went with it."""
    return f"projector rebuild --id {entity_id} --execute"


def said_children(children: Sequence[Child]) -> Iterator[str]:
    """`3 documents of it are gone too (…)`, for each kind of child."""
    for entity in dict.fromkeys(child.entity for child in children):
        own = [str(child.id) for child in children if child.entity == entity]
        yield f"{counted(len(own), entity)} of it {verb(len(own), 'is', 'are')} gone too ({first_of(own, LISTED)})"
