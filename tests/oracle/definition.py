"""What the tables mean, written straight down over a set of events (docs/design.md, section 4): slow and plain."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

Event = dict[str, Any]
Key = tuple[str, UUID]

PARENTS = {"user": {}, "document": {"user_id": "user"}, "comment": {"document_id": "document", "author_id": "user"}}
WHOLE = {
    "user": {"email", "name", "is_active", "created_at"},
    "document": {"title", "content", "user_id", "created_at"},
    "comment": {"body", "document_id", "author_id", "created_at"},
}
"""With these an update is complete: the time of the change may stand in the envelope."""


@dataclass
class Defined:
    """By entity and id: the newest state (None: deleted), who is present, and which versions wait for others."""

    states: dict[Key, tuple[int, Event | None]]
    waiting: set[tuple[UUID, int]]

    def present(self, key: Key) -> bool:
        """Its state exists and is not deleted, and so with all its parents."""
        if key not in self.states or (row := self.states[key][1]) is None:
            return False
        return all(self.present((parent, UUID(row[column]))) for column, parent in PARENTS[key[0]].items())

    def shown(self, entity: str) -> dict[UUID, tuple[int, Event]]:
        return {i: s for (e, i), s in self.states.items() if e == entity and self.present((e, i))}  # type: ignore[misc]

    def aside(self, entity: str) -> set[UUID]:
        """Alive, but a parent is missing."""
        return {i for (e, i), s in self.states.items() if e == entity and s[1] is not None} - self.shown(entity).keys()

    def deleted(self) -> set[Key]:
        return {key for key, state in self.states.items() if state[1] is None}


def define(received: list[Event]) -> Defined:
    """The definition over the events received so far, in whatever order and however often."""
    by_key: dict[Key, dict[int, Event]] = {}
    for event in received:
        key = (event["type"].partition(".")[0], UUID(event["data"]["id"]))
        by_key.setdefault(key, {})[event["data"]["version"]] = event
    states: dict[Key, tuple[int, Event | None]] = {}
    waiting: set[tuple[UUID, int]] = set()
    for key, versions in by_key.items():
        complete = [version for version, event in versions.items() if _is_complete(key[0], event)]
        if not complete:
            waiting |= {(key[1], version) for version in versions}
            continue
        version = max(complete)
        row = None if versions[version]["type"].endswith("deleted") else _columns(versions[version])
        while version + 1 in versions and row is not None:
            version += 1
            row = row | _columns(versions[version])
        states[key] = version, row
        waiting |= {(key[1], later) for later in versions if later > version}
    return Defined(states, waiting)


def _is_complete(entity: str, event: Event) -> bool:
    kind = event["type"].partition(".")[2]
    return kind in ("created", "deleted") or (kind == "updated" and WHOLE[entity] <= event["data"].keys())


def _columns(event: Event) -> Event:
    data = {k: v for k, v in event["data"].items() if k not in ("id", "version", "from_user_id")}
    if "to_user_id" in data:
        data["user_id"] = data.pop("to_user_id")
    return data
