"""JSON Schema as the tests use it: patterns as ECMA-262 reads them, and the alternative of an event's own type."""

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.publishing.form import Schema
from tests.support.factories import ARecord


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """`$` is the end of the text (ECMA-262); Python's own also matches before a line's end."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError("does not match")


Validator = extend(Draft202012Validator, {"pattern": _pattern})


class Verdict:
    """What a schema of the contract says about events. It goes by `type` to the alternative that can accept one, which
    takes an eighth of the time; a test compares that with the whole schema."""

    def __init__(self, schema: Schema) -> None:
        self.whole = Validator(schema)
        named = {one["properties"]["type"].get("const"): one for one in schema["oneOf"]}
        self._other = Validator(named.pop(None, False))
        self._types = {name: Validator(one) for name, one in named.items()}

    def accepts(self, event: Any) -> bool:
        return bool(self._of(event).is_valid(event))

    def reasons(self, event: Any) -> set[Reason]:
        """By the places at which the event is refused, the reasons that a dead letter of it may name."""
        return {reason for error in self._of(event).iter_errors(event) for reason in _reasons(error)}

    def _of(self, event: Any) -> Any:
        named = event.get("type") if isinstance(event, dict) else None
        return self._types.get(str(named), self._other)


def _reasons(error: ValidationError) -> set[Reason]:
    """At the root, `anyOf` has the places of the times, and `oneOf` data or its Base64."""
    at, kind = [*error.absolute_path], error.validator
    if not at and kind == "anyOf":
        return {Reason.MISSING_TIME}
    if at == ["datacontenttype"] and kind == "pattern":
        return {Reason.UNSUPPORTED_FORMAT}
    if not at and kind == "oneOf":
        return {Reason.INVALID_DATA, Reason.INVALID_ENVELOPE}
    return {Reason.INVALID_DATA if at[:1] == ["data"] else Reason.INVALID_ENVELOPE}


class Messages:
    """What the two documents of the contract say about a record: its headers, and its value."""

    def __init__(self, events: Schema, messages: Schema) -> None:
        self._events = Verdict(events)
        every = {n: one for c in messages["channels"].values() for n, one in c["messages"].items()}
        self._parts = {
            name: (Validator(message["headers"]), Validator(message["payload"])) for name, message in every.items()
        }
        self._structured = next(parts[0] for name, parts in self._parts.items() if name.endswith(".structured"))

    def reasons(self, record: ARecord) -> set[Reason] | None:
        """Empty: accepted. None: nothing is said, as the value is no JSON, or the type is another in binary mode."""
        headers = {name.lower(): value.decode(errors="replace") for name, value in record.headers if value is not None}
        kind = headers.get("content-type", "").lower()
        if record.value is None and not any(name.startswith("ce_") for name in headers):
            return None
        try:
            value = json.loads(record.value.decode(), parse_constant=lambda _: 1 / 0) if record.value else None
        except (ValueError, RecursionError, ZeroDivisionError):
            value = ...
        if any(name.startswith("ce_") for name in headers) and not kind.startswith("application/cloudevents"):
            return self._binary(headers, value)
        if not self._structured.is_valid(headers):
            return {Reason.UNSUPPORTED_FORMAT}
        return None if value is ... or not record.value else self._events.reasons(value)

    def _binary(self, headers: dict[str, str], value: Any) -> set[Reason] | None:
        if (named := headers.get("ce_type")) is None:
            return {Reason.INVALID_ENVELOPE}
        if (parts := self._parts.get(f"{named}.binary")) is None:
            return None
        places = [[*error.absolute_path] for error in parts[0].iter_errors(headers)]
        found = {Reason.UNSUPPORTED_FORMAT if at == ["content-type"] else Reason.INVALID_ENVELOPE for at in places}
        if value is None:
            return found | {Reason.INVALID_DATA}
        if value is ...:
            return found or None
        return found | ({Reason.INVALID_DATA} if not parts[1].is_valid(value) else set())
