"""A simulated publisher: it keeps its own truth and emits the valid history of it, one version after the other."""

import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.support.factories import TIME, an_event

Row = dict[str, Any]
Event = dict[str, Any]


@dataclass
class Upstream:
    """`truth[entity][id]` is the row, or None once it is deleted; `events` are in the order they were emitted."""

    rng: random.Random
    truth: dict[str, dict[UUID, Row | None]] = field(
        default_factory=lambda: {"user": {}, "document": {}, "comment": {}}
    )
    versions: dict[UUID, int] = field(default_factory=dict)
    last: dict[UUID, Row] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def live(self, number: int, *, comments: bool) -> list[Event]:
        """Let about `number` things happen; returns all events."""
        acts = [self.create_user, self.create_document, self.change_user, self.change_document, self.transfer]
        acts += [self.create_user, self.create_document, self.swap, self.hand_over, self.delete, self.restore]
        acts += [self.create_comment, self.create_comment, self.change_comment] if comments else []
        for _ in range(number):
            self.rng.choice(acts)()
        return self.events

    def create_user(self) -> None:
        new = UUID(int=self.rng.getrandbits(128), version=4)
        self._emit("user", new, {"email": f"{new.hex}@example.com", "name": "Ada", "is_active": True})

    def create_document(self) -> None:
        if owner := self._any("user"):
            row = {"title": "Notes", "content": None, "user_id": str(owner)}
            self._emit("document", UUID(int=self.rng.getrandbits(128), version=4), row)

    def create_comment(self) -> None:
        author, document = self._any("user"), self._any("document")
        if author and document:
            row = {"body": "Well said", "document_id": str(document), "author_id": str(author)}
            self._emit("comment", UUID(int=self.rng.getrandbits(128), version=4), row)

    def change_user(self) -> None:
        if user := self._any("user"):
            fresh = f"{self.rng.getrandbits(64):x}@example.com"
            self._change("user", user, self.rng.choice([{"name": fresh}, {"email": fresh}, {"is_active": False}]))

    def change_document(self) -> None:
        if document := self._any("document"):
            text = f"{self.rng.getrandbits(32):x}"
            self._change("document", document, self.rng.choice([{"title": text}, {"content": text}, {"content": None}]))

    def change_comment(self) -> None:
        if comment := self._any("comment"):
            self._change("comment", comment, {"body": f"{self.rng.getrandbits(32):x}"})

    def transfer(self) -> None:
        document, owner = self._any("document"), self._any("user")
        if document and owner:
            row = self.truth["document"][document]
            assert row is not None
            data = {"from_user_id": row["user_id"], "to_user_id": str(owner)}
            self._put("document", document, {**row, "user_id": str(owner)}, "ownership_transferred", data)

    def swap(self) -> None:
        """Two users swap their addresses; in between one has none of the two."""
        one, other = self._any("user"), self._any("user")
        if one and other and one != other:
            emails = [(self.truth["user"][i] or {})["email"] for i in (one, other)]
            self._change("user", one, {"email": emails[1]})
            self._change("user", other, {"email": emails[0]})

    def hand_over(self) -> None:
        """One goes, or takes a new address, and another takes the one that is free."""
        one, other = self._any("user"), self._any("user")
        if one and other and one != other:
            email = (self.truth["user"][one] or {})["email"]
            if self.rng.random() < 0.5:
                self._remove("user", one)
            else:
                self._change("user", one, {"email": f"{self.rng.getrandbits(64):x}@example.com"})
            self._change("user", other, {"email": email})

    def delete(self) -> None:
        entity = self.rng.choice(["user", "document", "comment"])
        if found := self._any(entity):
            if entity == "user" and self.rng.random() < 0.4:
                self._give_away(found)
            self._remove(entity, found)

    def restore(self) -> None:
        entity = self.rng.choice(["user", "document"])
        gone = [i for i, row in self.truth[entity].items() if row is None]
        if gone:
            back = self.rng.choice(gone)
            row = dict(self.last[back])
            if entity == "user":
                row["email"] = f"{self.rng.getrandbits(64):x}@example.com"
            elif self.truth["user"].get(UUID(row["user_id"])) is None:
                return
            self._emit(entity, back, row)

    def _give_away(self, owner: UUID) -> None:
        for document, row in list(self.truth["document"].items()):
            heir = self._any("user")
            if row is not None and row["user_id"] == str(owner) and heir and heir != owner:
                data = {"from_user_id": str(owner), "to_user_id": str(heir)}
                self._put("document", document, {**row, "user_id": str(heir)}, "ownership_transferred", data)

    def _any(self, entity: str) -> UUID | None:
        there = [i for i, row in self.truth[entity].items() if row is not None]
        return self.rng.choice(there) if there else None

    def _change(self, entity: str, entity_id: UUID, change: Row) -> None:
        row = {**(self.truth[entity][entity_id] or {}), **change}
        if self.rng.random() < 0.4:
            self._put(entity, entity_id, row, "updated", {**row, "created_at": TIME})
        else:
            self._put(entity, entity_id, row, "updated", change)

    def _emit(self, entity: str, entity_id: UUID, row: Row) -> None:
        self._put(entity, entity_id, row, "created", {**row, "created_at": TIME})

    def _remove(self, entity: str, entity_id: UUID) -> None:
        self._put(entity, entity_id, None, "deleted", {})

    def _put(self, entity: str, entity_id: UUID, row: Row | None, kind: str, data: Row) -> None:
        version = self.versions[entity_id] = self.versions.get(entity_id, 0) + 1
        self.truth[entity][entity_id] = row
        if row is not None:
            self.last[entity_id] = row
        times = {} if kind == "deleted" or self.rng.random() < 0.3 else {"updated_at": TIME}
        self.events.append(an_event(f"{entity}.{kind}", {"id": str(entity_id), "version": version, **data, **times}))
