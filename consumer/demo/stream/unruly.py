"""Stories in disorder: late, early, orphaned, contested, deleted. No other story plays with their entities.

What waits for what comes later is settled at the end of the stream, when all that was held back has been published.
"""

from typing import Any

from neon_projector.consumer.demo.stream.stage import Stage
from neon_projector.consumer.demo.stream.truth import Row
from neon_projector.consumer.demo.stream.wire import DemoRecord

LATER = range(50, 600)
"""Turns for which a record is held back."""


def early_document(stage: Stage) -> list[DemoRecord]:
    """A document long before its user: it is parked, and shown when the user comes."""
    user = _user(stage)
    _hold_back(stage, stage.tell("user.created", user, "email", "name", "is_active", "created_at"))
    return _tell_document(stage, _document(stage, user))


def late_base(stage: Stage) -> list[DemoRecord]:
    """A change long before what it changes."""
    user = _user(stage)
    _hold_back(stage, stage.tell("user.created", user, "email", "name", "is_active", "created_at"))
    changed = {**user, "version": 2, "name": "Renamed early", "updated_at": stage.now()}
    stage.truth.users.keep(changed)
    return stage.tell("user.updated", changed, "name", updated_at=changed["updated_at"])


def orphaned(stage: Stage) -> list[DemoRecord]:
    """A document whose user never comes: it waits for ever, and blocks nobody."""
    nobody: Row = {"id": stage.new_id()}
    document = _document(stage, nobody, shown=False)
    _aside(stage, "document", document, 1, "no_parent")
    return _tell_document(stage, document)


def without_base(stage: Stage) -> list[DemoRecord]:
    """A change of a user who never comes."""
    user: Row = {"id": stage.new_id(), "version": 3, "name": "Nobody", "updated_at": stage.now()}
    stage.truth.parked.add(("user", user["id"], 3))
    return stage.tell("user.updated", user, "name", updated_at=user["updated_at"])


def contested(stage: Stage) -> list[DemoRecord]:
    """Two claim one address; later the first takes another, and the second has it."""
    first = _user(stage)
    second = {**_user(stage), "email": first["email"]}
    stage.truth.users.keep(second)
    moved = {**first, "version": 2, "email": f"moved-{first['email']}", "updated_at": stage.now()}
    stage.truth.users.keep(moved)
    records = [*_tell_user(stage, first), *_tell_user(stage, second)]
    _hold_back(stage, stage.tell("user.updated", moved, "email", updated_at=moved["updated_at"]))
    return records


def deleted_with_documents(stage: Stage) -> list[DemoRecord]:
    """A user goes, and with it, hidden, a document; another was given away first and stays."""
    user, heir = _user(stage), _user(stage)
    hidden, given = _document(stage, user, shown=False), _document(stage, user)
    stage.truth.documents.keep({**given, "version": 2, "user_id": heir["id"], "updated_at": stage.now()})
    records = [*_tell_user(stage, user), *_tell_user(stage, heir)]
    records += [*_tell_document(stage, hidden), *_tell_document(stage, given)]
    changed = stage.truth.documents.by_id()[given["id"]]
    fields: dict[str, Any] = {"from_user_id": user["id"], "to_user_id": heir["id"], "updated_at": changed["updated_at"]}
    records += stage.tell("document.ownership_transferred", changed, **fields)
    stage.truth.users.forget(user["id"])
    _aside(stage, "user", user, 2, "deleted")
    _aside(stage, "document", hidden, 1, "parent_deleted")
    return [*records, *stage.tell("user.deleted", {"id": user["id"], "version": 2})]


def _user(stage: Stage) -> Row:
    now, new = stage.now(), stage.new_id()
    row: Row = {"id": new, "version": 1, "email": f"{new.hex}@example.com", "name": "Unruly", "is_active": True}
    row |= {"created_at": now, "updated_at": now}
    stage.truth.users.keep(row)
    return row


def _document(stage: Stage, owner: Row, *, shown: bool = True) -> Row:
    now = stage.now()
    row: Row = {"id": stage.new_id(), "version": 1, "title": "Unruly", "content": None, "user_id": owner["id"]}
    row |= {"created_at": now, "updated_at": now}
    if shown:
        stage.truth.documents.keep(row)
    return row


def _tell_user(stage: Stage, row: Row) -> list[DemoRecord]:
    return stage.tell("user.created", row, "email", "name", "is_active", "created_at")


def _tell_document(stage: Stage, row: Row) -> list[DemoRecord]:
    return stage.tell("document.created", row, "title", "content", "user_id", "created_at")


def _hold_back(stage: Stage, records: list[DemoRecord]) -> None:
    for record in records:
        stage.hold_back(record, stage.rng.choice(LATER))


def _aside(stage: Stage, entity: str, row: Row, version: int, reason: str) -> None:
    stage.truth.absent.keep({"entity": entity, "id": row["id"], "version": version, "reason": reason})
