"""Stories of documents. Each changes the truth and returns the records that tell of it; none where it can't play."""

from neon_projector.consumer.demo.stream.stage import Stage
from neon_projector.consumer.demo.stream.truth import Row
from neon_projector.consumer.demo.stream.wire import DemoRecord

MOST_DOCUMENTS = 6000
SUBJECTS = ("Minutes", "Invoice", "Travel plan", "Größenordnung", "回忆录", 'A "quoted" title', "Back\\slash")


def created(stage: Stage) -> list[DemoRecord]:
    """A new document of a user who is there; without content, or with null, one in three."""
    owner = stage.truth.users.pick(stage.rng)
    if owner is None or len(stage.truth.documents) >= MOST_DOCUMENTS:
        return []
    now = stage.now()
    row: Row = {
        "id": stage.new_id(),
        "version": 1,
        "title": _title(stage),
        "content": _content(stage),
        "user_id": owner["id"],
        "created_at": now,
        "updated_at": now,
    }
    stage.truth.documents.put(row)
    names = ["title", "user_id"]
    if row["content"] is not None or stage.chance(0.5):
        names.append("content")
    return stage.tell("document.created", row, *names)


def replaced(stage: Stage) -> list[DemoRecord]:
    """A complete update: every field, one in four with a new owner."""
    owner = stage.truth.users.pick(stage.rng) if stage.chance(0.25) else None
    row = _changed(stage, title=_title(stage), content=_content(stage), **({"user_id": owner["id"]} if owner else {}))
    return _tell_all(stage, "document.updated", row) if row else []


def edited(stage: Stage) -> list[DemoRecord]:
    """A partial update: title, content (null is a value), or both."""
    names = stage.rng.choice((("title",), ("content",), ("title", "content")))
    values = {"title": _title(stage), "content": _content(stage)}
    row = _changed(stage, **{name: values[name] for name in names})
    return stage.tell("document.updated", row, *names) if row else []


def transferred(stage: Stage) -> list[DemoRecord]:
    """Another user owns it now."""
    before, owner = stage.truth.documents.pick(stage.rng), stage.truth.users.pick(stage.rng)
    if before is None or owner is None:
        return []
    row = _put(stage, before, user_id=owner["id"])
    fields = {"from_user_id": before["user_id"], "to_user_id": owner["id"]}
    return stage.tell("document.ownership_transferred", row, **fields)


def deleted(stage: Stage) -> list[DemoRecord]:
    """A document goes; a tombstone remains."""
    row = stage.truth.documents.pick(stage.rng)
    if row is None:
        return []
    stage.truth.delete_document(row, row["version"] + 1)
    return stage.tell("document.deleted", {"id": row["id"], "version": row["version"] + 1})


def restored(stage: Stage) -> list[DemoRecord]:
    """A complete event of a higher version brings a deleted document back."""
    grave, owner = stage.truth.absent.pick(stage.rng), stage.truth.users.pick(stage.rng)
    if grave is None or owner is None or (grave["entity"], grave["reason"]) != ("document", "deleted"):
        return []
    stage.truth.absent.drop(grave["id"])
    blank = {"id": grave["id"], "version": grave["version"], "created_at": stage.now()}
    row = _put(stage, blank, title=_title(stage), content=_content(stage), user_id=owner["id"])
    return _tell_all(stage, "document.created", row)


def _changed(stage: Stage, **columns: object) -> Row | None:
    row = stage.truth.documents.pick(stage.rng)
    return None if row is None else _put(stage, row, **columns)


def _put(stage: Stage, row: Row, **columns: object) -> Row:
    row = {**row, **columns, "version": row["version"] + 1, "updated_at": stage.now()}
    stage.truth.documents.put(row)
    return row


def _tell_all(stage: Stage, kind: str, row: Row) -> list[DemoRecord]:
    return stage.tell(kind, row, "title", "content", "user_id", "created_at", updated_at=row["updated_at"])


def _title(stage: Stage) -> str:
    return f"{stage.rng.choice(SUBJECTS)} {stage.number()}"


def _content(stage: Stage) -> str | None:
    return None if stage.chance(1 / 3) else f"Some text.\n\tLine {stage.number()}, with “quotes” and {{braces}}."
