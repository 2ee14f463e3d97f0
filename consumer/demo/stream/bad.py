"""Bad records of every kind that the contract knows: each must become a dead letter, and harm nothing else.

None uses up a version: the publisher whose event was refused sends a good one of the same version later.
"""

from collections.abc import Callable
from typing import Any

from neon_projector.consumer.demo.stream.stage import PASSWORD, Stage
from neon_projector.consumer.demo.stream.wire import DemoEvent, DemoRecord, binary, record_of, structured

Attributes = dict[str, Any]
Break = Callable[[Attributes], object]
"""Breaks an event in place."""


def _data(**fields: Any) -> Break:
    return lambda event: event["data"].update(fields)


def _attributes(**attributes: Any) -> Break:
    return lambda event: event.update(attributes)


def _without_times(event: Attributes) -> None:
    del event["time"], event["data"]["updated_at"]


def _without_changes(event: Attributes) -> None:
    event["data"] = {name: event["data"][name] for name in ("id", "version")}


BROKEN_EVENTS: tuple[tuple[str, Break], ...] = (
    ("invalid_envelope", lambda event: event.pop("specversion")),
    ("invalid_envelope", lambda event: event.pop("id")),
    ("invalid_envelope", _attributes(specversion="0.3")),
    ("invalid_envelope", _attributes(time="yesterday")),
    ("invalid_data", lambda event: event.pop("data")),
    ("invalid_data", _without_changes),
    ("invalid_data", _data(version="7")),
    ("invalid_data", _data(version=0, password=PASSWORD)),
    ("invalid_data", _data(id="number one")),
    ("invalid_data", _data(email="nobody at home", password=PASSWORD)),
    ("invalid_data", _data(name="")),
    ("invalid_data", _data(name="x" * 101)),
    ("invalid_data", _data(is_active="yes")),
    ("invalid_data", _data(updated_at=1_800_000_000)),
    ("invalid_text", _data(name="N\0L")),
    ("missing_time", _without_times),
    ("subject_mismatch", _attributes(subject="00000000-0000-4000-8000-000000000000")),
)

BROKEN_RECORDS: tuple[tuple[str, Callable[[DemoRecord], Attributes]], ...] = (
    ("invalid_json", lambda record: {"value": (record.value or b"")[:-9]}),
    ("invalid_json", lambda record: {"value": b"\xff\xfe" + (record.value or b"")}),
    ("invalid_text", lambda record: {"value": (record.value or b"").replace(b"Never", b"\\ud800")}),
    ("schema_registry_framing", lambda record: {"value": b"\0\0\0\0\7" + (record.value or b"")}),
    ("schema_registry_framing", lambda record: {"value": b"\1" + bytes(16) + (record.value or b"")}),
    ("unsupported_format", lambda _: {"headers": (("content-type", b"application/cloudevents+avro"),)}),
    ("unsupported_format", lambda _: {"headers": (("content-type", b"text/xml"),)}),
    ("key_mismatch", lambda _: {"key": b"00000000-0000-4000-8000-000000000000"}),
)


def broken_event(stage: Stage) -> list[DemoRecord]:
    """An event with something wrong inside, in either mode."""
    if (event := _next(stage)) is None:
        return []
    reason, break_ = stage.rng.choice(BROKEN_EVENTS)
    break_(event.attributes)
    return [record_of(event, stage.rng).bad(reason)]


def broken_record(stage: Stage) -> list[DemoRecord]:
    """A record that can't be read, or whose key lies."""
    if (event := _next(stage, password=PASSWORD)) is None:
        return []
    reason, break_ = stage.rng.choice(BROKEN_RECORDS)
    record = structured(event)
    return [record.bad(reason, **break_(record))]


def too_large(stage: Stage) -> list[DemoRecord]:
    """A value of more than 1 MiB."""
    event = _next(stage, biography="x" * 2**20)
    return [] if event is None else [binary(event).bad("too_large")]


def wrong_owner(stage: Stage) -> list[DemoRecord]:
    """Somebody gives away a document that is not theirs."""
    row, thief = stage.truth.documents.pick(stage.rng), stage.truth.users.pick(stage.rng)
    if row is None or thief is None or row["user_id"] == thief["id"]:
        return []
    after = {"id": row["id"], "version": row["version"] + 1}
    fields = {"from_user_id": thief["id"], "to_user_id": thief["id"]}
    event = stage.event("document.ownership_transferred", after, stage.now(), fields)
    return [record_of(event, stage.rng).bad("wrong_owner")]


def of_the_deleted(stage: Stage) -> list[DemoRecord]:
    """A partial update of a document that is deleted."""
    grave = stage.truth.absent.pick(stage.rng)
    if grave is None or (grave["entity"], grave["reason"]) != ("document", "deleted"):
        return []
    after = {"id": grave["id"], "version": grave["version"] + 1}
    event = stage.event("document.updated", after, stage.now(), {"title": "Never"})
    return [record_of(event, stage.rng).bad("deleted")]


def version_conflict(stage: Stage) -> list[DemoRecord]:
    """The newest version of a document once more, with another content."""
    row = stage.truth.documents.pick(stage.rng)
    if row is None or row["version"] == 1:  # before it is nothing that a partial event could change
        return []
    event = stage.event("document.updated", row, stage.now(), {"title": "Never", "content": None})
    return [record_of(event, stage.rng).bad("version_conflict")]


def _next(stage: Stage, **more: Any) -> DemoEvent | None:
    """What could be a user's next event: good, until it is broken."""
    row = stage.truth.users.pick(stage.rng)
    if row is None:
        return None
    now = stage.now()
    after = {"id": row["id"], "version": row["version"] + 1}
    return stage.event("user.updated", after, now, {"name": "Never", "updated_at": now, **more})
