"""Stories of users. Each changes the truth and returns the records that tell of it; none where it can't play."""

from neon_projector.consumer.demo.stream.stage import Stage
from neon_projector.consumer.demo.stream.truth import Row
from neon_projector.consumer.demo.stream.wire import DemoRecord

MOST_USERS = 3000
NAMES = ("Ada", "Grace", "Édouard", "Łukasz", "Zoë", "María José", "李小龍", "Nguyễn Văn An", "O'Brien", "Björk 🎻")


def created(stage: Stage) -> list[DemoRecord]:
    """A new user; `is_active` is left out where it is true, half of the time."""
    if len(stage.truth.users) >= MOST_USERS:
        return []
    now = stage.now()
    row: Row = {
        "id": stage.new_id(),
        "version": 1,
        "email": _email(stage),
        "name": _name(stage),
        "is_active": stage.chance(0.9),
        "created_at": now,
        "updated_at": now,
    }
    stage.truth.users.put(row)
    names = ["email", "name"]
    if not row["is_active"] or stage.chance(0.5):
        names.append("is_active")
    if stage.chance(0.5):
        names.append("created_at")
    return stage.tell("user.created", row, *names)


def replaced(stage: Stage) -> list[DemoRecord]:
    """A complete update: every field of the user."""
    row = _changed(stage, name=_name(stage), is_active=stage.chance(0.8))
    return _tell_all(stage, row) if row else []


def renamed(stage: Stage) -> list[DemoRecord]:
    """A partial update of one or two fields."""
    if stage.chance(0.5):
        row = _changed(stage, name=_name(stage))
        return stage.tell("user.updated", row, "name") if row else []
    row = _changed(stage, name=_name(stage), is_active=stage.chance(0.7))
    return stage.tell("user.updated", row, "name", "is_active") if row else []


def moved(stage: Stage) -> list[DemoRecord]:
    """A new e-mail address, by a partial update or a complete one."""
    row = _changed(stage, email=_email(stage))
    if row is None:
        return []
    return stage.tell("user.updated", row, "email") if stage.chance(0.7) else _tell_all(stage, row)


def _changed(stage: Stage, **columns: object) -> Row | None:
    row = stage.truth.users.pick(stage.rng)
    if row is None:
        return None
    row = {**row, **columns, "version": row["version"] + 1, "updated_at": stage.now()}
    stage.truth.users.put(row)
    return row


def _tell_all(stage: Stage, row: Row) -> list[DemoRecord]:
    return stage.tell("user.updated", row, "email", "name", "is_active", "created_at", updated_at=row["updated_at"])


def _name(stage: Stage) -> str:
    return f"{stage.rng.choice(NAMES)} {stage.number()}"


def _email(stage: Stage) -> str:
    """An address that nobody has had, nor in another stream.

    Of one in three the domain is sent in capitals, and kept in small letters.
    """
    return f"user.{stage.number()}.{stage.seed}@example.com"
