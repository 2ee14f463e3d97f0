"""What has changed from one contract to another, and whether publishers and services of both can live together.

A change is compatible if every event that the old contract took is still taken, and means the same: what is added is
optional, and what does not know it ignores it.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from neon_projector.projections.publishing.form import Form, Schema
from neon_projector.projections.publishing.json_schema import NAME
from neon_projector.projections.publishing.narrower import changes_of_rule


class Change(NamedTuple):
    """One change, of a type or of one of its fields (`data.email`; empty: the type itself)."""

    type: str
    field: str
    change: str
    compatible: bool


class Contract(NamedTuple):
    """A contract as it was printed once: its events, by type."""

    version: str
    form: Form
    events: dict[str, Schema]


def read_contract(document: Any) -> Contract:
    """A document that `projector contract` has printed. ValueError where it is none."""
    try:
        if "asyncapi" in document:
            version = document["info"]["version"]
            messages = [m for c in document["channels"].values() for m in c["messages"].items()]
            events = [message["payload"] for name, message in messages if name.endswith(".structured")]
            form = Form.STRICT if "additionalProperties" in events[0] else Form.TOLERANT
        else:
            version, _, named = document["$id"].removeprefix(NAME).partition(":")
            events, form = document["oneOf"], Form(named)
        types = {event["properties"]["type"].get("const"): event for event in events}
        types.pop(None, None)
        return Contract(version, form, types)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        raise ValueError("not a document that `projector contract` prints") from None


def compare(old: Contract, new: Contract) -> list[Change]:
    """All that has changed, in the order of the types. Both in the same form."""
    changes: list[Change] = []
    for name in old.events | new.events:
        if name not in new.events:
            changes.append(Change(name, "", "is no longer a type of the contract: its events are ignored", False))
        elif name not in old.events:
            changes.append(Change(name, "", "is a new type: who does not know it ignores it", True))
        else:
            changes += _changes_of_event(name, old.events[name], new.events[name])
    return list(dict.fromkeys(changes))


def _changes_of_event(name: str, old: Schema, new: Schema) -> Iterator[Change]:
    for (place, before), (_, after) in zip(_parts(old), _parts(new), strict=False):
        for field, change, compatible in _changes_of_object(before, after, complete=place == "complete"):
            yield Change(name, field if place == "attributes" else f"data.{field}", change, compatible)
    if len([*_parts(old)]) > len([*_parts(new)]):
        yield Change(name, "data", "is never read as complete any more", False)
    for field in sorted(_times(new) - _times(old)):
        yield Change(name, f"data.{field}", "is required where the event has no time", False)
    for field in sorted(_times(old) - _times(new)):
        yield Change(name, f"data.{field}", "may be left out where the event has no time", True)


def _parts(event: Schema) -> Iterator[tuple[str, Schema]]:
    """The attributes; the data; and the data of an event that has all fields, where that means another kind."""
    attributes = {name: rule for name, rule in event["properties"].items() if name not in ("data", "type")}
    yield "attributes", {"properties": attributes, "required": event["required"]}
    data = event["properties"]["data"]
    yield from zip(("partial", "complete"), data.get("oneOf", [data]), strict=False)


def _changes_of_object(old: Schema, new: Schema, *, complete: bool) -> Iterator[tuple[str, str, bool]]:
    """By field. Where `complete`, the required fields are those that make the event complete."""
    before, after = old["properties"], new["properties"]
    for name in before | after:
        needed, was_needed = name in new["required"], name in old["required"]
        if name not in after:
            yield name, "is no longer read: what publishers send of it is ignored", False
        elif name not in before and not needed:
            yield name, "is new, and optional", True
        elif needed and not was_needed:
            yield name, NEEDED if complete else "is required now", False
        elif was_needed and not needed:
            yield name, "is no longer needed to be complete" if complete else "is no longer required", True
        if name in before and name in after:
            for change, compatible in changes_of_rule(before[name], after[name]):
                yield name, change, compatible
    had, has = _choices(old), _choices(new)
    for name in sorted(had ^ has if had and has else has - had):
        yield name, f"is {'no longer' if name in had else 'now'} one of those of which one must be there", had <= has


NEEDED = "is needed now, or an event that had all fields counts as partial"


def _choices(data: Schema) -> set[str]:
    """The fields of which a partial event has at least one."""
    return {name for choice in data.get("anyOf", ()) for name in choice["required"]}


def _times(event: Schema) -> set[str]:
    """The times that `data` must have where the event has no time itself."""
    places = [choice["properties"]["data"] for choice in event.get("anyOf", ()) if choice["required"] == ["data"]]
    return {name for place in places for name in place["required"]}
