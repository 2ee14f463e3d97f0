"""The published mix: users, their documents, and complete updates of both, with the tables they must end in."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

TIME = "2026-11-22T12:00:00.000000Z"
USER_UPDATES = 0.3
"""Part of the updates that are on users."""


@dataclass
class Mix:
    """How much of what; `users`, `documents`, `updates` are numbers of events."""

    users: int = 100_000
    documents: int = 200_000
    updates: int = 200_000
    seed: int = 1
    truth: dict[str, dict[UUID, dict[str, Any]]] = field(default_factory=lambda: {"user": {}, "document": {}})
    """What the tables must hold after the events: by entity and id, the columns."""

    @property
    def total(self) -> int:
        return self.users + self.documents + self.updates

    def events(self) -> Iterator[tuple[str, UUID, bytes]]:
        """(topic, key, value) in publishing order: all users, all documents, then the updates."""
        rng = random.Random(self.seed)
        users = [UUID(int=rng.getrandbits(128), version=4) for _ in range(self.users)]
        documents = [UUID(int=rng.getrandbits(128), version=4) for _ in range(self.documents)]
        for number, user in enumerate(users):
            yield self._user("created", user, 1, f"user{number}@example.com", f"User {number}")
        for number, document in enumerate(documents):
            yield self._document("created", document, 1, f"Document {number}", rng.choice(users))
        for number in range(self.updates):
            if rng.random() < USER_UPDATES:
                user = rng.choice(users)
                row = self.truth["user"][user]
                yield self._user("updated", user, row["version"] + 1, row["email"], f"Renamed {number}")
            else:
                document = rng.choice(documents)
                row = self.truth["document"][document]
                yield self._document("updated", document, row["version"] + 1, f"Title {number}", rng.choice(users))

    def _user(self, kind: str, user: UUID, version: int, email: str, name: str) -> tuple[str, UUID, bytes]:
        row = {"version": version, "email": email, "name": name, "is_active": True}
        self.truth["user"][user] = row
        return "users", user, _value(f"user.{kind}", user, row)

    def _document(self, kind: str, document: UUID, version: int, title: str, owner: UUID) -> tuple[str, UUID, bytes]:
        row = {"version": version, "title": title, "content": "Some text of a document.", "user_id": owner}
        self.truth["document"][document] = row
        return "documents", document, _value(f"document.{kind}", document, row)


def _value(type_: str, entity_id: UUID, row: dict[str, Any]) -> bytes:
    data = {"id": entity_id, **row, "created_at": TIME, "updated_at": TIME}
    event_id = f"{entity_id}-{row['version']}"
    return orjson.dumps(
        {"specversion": "1.0", "id": event_id, "source": "/bench", "type": type_, "time": TIME, "data": data}
    )
