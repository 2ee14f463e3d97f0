"""What was written and is gone without an event: how that is said, and which command brings it back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from neon_projector.consumer.admin.explain.gone_with import Child
from neon_projector.consumer.admin.explain.search import Place
from neon_projector.consumer.wording import counted, first_of, verb
from neon_projector.projections.contract.mentions import FEW
from neon_projector.projections.contract.projection import Registry

MOST_KEYS = FEW - 1
"""A command names so many keys besides the entity's own: these are found fast. With more, everything is read again."""
LISTED = 3
"""So many children that are gone are named."""


def applied(places: Iterable[Place], letters: Iterable[Mapping[str, Any]]) -> list[Place]:
    """Those that did not become dead letters, by version."""
    rejected = {(letter["topic"], letter["partition"], letter["offset"]) for letter in letters}
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


def brings_back(places: list[Place], children: Sequence[Child] = ()) -> str | None:
    """The command that lets these be read again, with what went with it; None where they need an event before them,
    or end in a deletion."""
    whole = [place for place in places if place.whole]
    if not whole or places[-1].deletes:
        return None
    needed = [place for place in places if place.version >= whole[-1].version]
    key = f" --key {needed[0].key}" if all(place.key for place in needed) else ""
    if children:
        few = key and len(children) <= MOST_KEYS and all(one.keyed for one in children)
        return f"projector replay --all-topics{key if few else ''}" + "".join(f" --key {c.id}" for c in children if few)
    where = {place[:2] for place in needed}
    if len(where) > 1:
        return f"projector replay --all-topics{key}"
    ((topic, partition),), offsets = where, [place.offset for place in needed]
    return f"projector replay --topic {topic}:{partition} --from {min(offsets)} --to {max(offsets) + 1}{key}"


def said_children(children: Sequence[Child]) -> Iterator[str]:
    """`3 documents of it are gone too (…)`, for each kind of child."""
    for entity in dict.fromkeys(child.entity for child in children):
        own = [str(child.id) for child in children if child.entity == entity]
        yield f"{counted(len(own), entity)} of it {verb(len(own), 'is', 'are')} gone too ({first_of(own, LISTED)})"
