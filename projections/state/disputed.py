"""Finds the entities whose events give one version two contents: for them, the set of events has no one answer.

The first content to arrive stays, the other is a dead letter `version_conflict`, or was superseded unseen where a later
version had come already. Across partitions, or when a topic is read again, nobody knows which one came first.
"""

from uuid import UUID

from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import PARTIAL

Key = tuple[str, UUID]
"""Entity and id."""
_Place = tuple[int, bool]
"""A version, and whether the event is a partial one: beside a complete one of its version it may say less."""


class Disputed:
    """Takes every event in any order. What a newer complete event covers no longer counts, and is forgotten."""

    def __init__(self) -> None:
        self._contents: dict[Key, dict[_Place, int | None]] = {}

    def add(self, key: Key, event: Event, *, conflict: bool) -> None:
        """`conflict`: the fold has found that this event, or one that waited for it, contradicts another."""
        contents, partial = self._contents.setdefault(key, {}), event.kind is PARTIAL
        if event.version < max((version for version, part in contents if not part), default=0):
            return
        place, content = (event.version, partial), _content(event)
        if conflict or contents.setdefault(place, content) != content:
            contents[place] = None
        if not partial:
            for covered in [each for each in contents if each[0] < event.version]:
                del contents[covered]

    def keys(self) -> set[Key]:
        """The entities whose state depends on the order in which the events arrived."""
        return {key for key, contents in self._contents.items() if None in contents.values()}


def _content(event: Event) -> int:
    return hash((event.kind, frozenset(event.fields.items()), frozenset(event.expects.items())))
