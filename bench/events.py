"""The published mix: users, their documents, and complete updates of both, with the tables they must end in."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
APART = timedelta(milliseconds=7, microseconds=13)
"""Each event has a time of its own."""
USER_UPDATES = 0.3
"""Part of the updates that are on users."""


Published = tuple[str, UUID, bytes]
"""Topic, key and value."""


@dataclass
class Mix:
    """How much of what; `users`, `documents`, `updates` are numbers of events."""

    users: int = 100_000
    documents: int = 200_000
    updates: int = 200_000
    partial: float = 0.0
    """Part of the updates that carry what changes only."""
    seed: int = 1
    content: str = "Some text of a document."
    series: str = ""
    """Part of the addresses, where several mixes go to one table."""
    truth: dict[str, dict[UUID, dict[str, Any]]] = field(default_factory=lambda: {"user": {}, "document": {}})
    """What the tables must hold after the events: by entity and id, the columns."""

    _clock: datetime = START

    @property
    def total(self) -> int:
        return self.users + self.documents + self.updates

    def events(self) -> Iterator[Published]:
        """(topic, key, value) in publishing order: all users, all documents, then the updates."""
        rng = random.Random(self.seed)
        users = [UUID(int=rng.getrandbits(128), version=4) for _ in range(self.users)]
        documents = [UUID(int=rng.getrandbits(128), version=4) for _ in range(self.documents)]
        for number, user in enumerate(users):
            new = {"email": f"user{self.series}{number}@example.com", "name": f"User {number}", "is_active": True}
            yield self._user("created", user, new)
        for number, document in enumerate(documents):
            new = {"title": f"Document {number}", "content": self.content, "user_id": rng.choice(users)}
            yield self._document("created", document, new)
        for number in range(self.updates):
            if rng.random() < USER_UPDATES:
                user = rng.choice(users)
                yield self._user("updated", user, {"name": f"Renamed {number}"}, partial=rng.random() < self.partial)
            else:
                document = rng.choice(documents)
                title = {"title": f"Title {number}"}
                if rng.random() < self.partial:
                    yield self._document("updated", document, title, partial=True)
                else:
                    yield self._document("updated", document, title | {"user_id": rng.choice(users)})

    def _user(self, kind: str, user: UUID, change: dict[str, Any], *, partial: bool = False) -> Published:
        return "users", user, self._event("user", kind, user, change, partial=partial)

    def _document(self, kind: str, document: UUID, change: dict[str, Any], *, partial: bool = False) -> Published:
        return "documents", document, self._event("document", kind, document, change, partial=partial)

    def _event(self, entity: str, kind: str, entity_id: UUID, change: dict[str, Any], *, partial: bool) -> bytes:
        self._clock += APART
        before = self.truth[entity].get(entity_id, {"version": 0, "created_at": self._clock})
        row = {**before, **change, "version": before["version"] + 1, "updated_at": self._clock}
        self.truth[entity][entity_id] = row
        changed = {**change, "version": row["version"], "updated_at": self._clock}
        return _value(f"{entity}.{kind}", entity_id, changed if partial else row)


def _value(type_: str, entity_id: UUID, fields: dict[str, Any]) -> bytes:
    data = {"id": entity_id, **fields}
    event_id, time = f"{entity_id}-{fields['version']}", fields["updated_at"]
    attributes = {"specversion": "1.0", "id": event_id, "source": "/bench", "type": type_, "time": time}
    return orjson.dumps(attributes | {"data": data}, option=orjson.OPT_UTC_Z)


def a_mix(events: int, partial: float = 0.0) -> Mix:
    return Mix(events // 5, 2 * events // 5, 2 * events // 5, partial=partial)
