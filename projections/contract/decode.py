"""Decodes a record to an event, a rejection, or nothing: the contract, in code."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from neon_projector.projections.contract.envelope import MISSING, Envelope, read_envelope
from neon_projector.projections.contract.event import Decoded, Event, Ignored, Rejection, make_event
from neon_projector.projections.contract.fast_path import FastPath
from neon_projector.projections.contract.fields import OWN_PROBLEM
from neon_projector.projections.contract.headers import is_binary, read_headers
from neon_projector.projections.contract.outcome import Reason, Rejected
from neon_projector.projections.contract.projection import EventType, Projection, Registry
from neon_projector.projections.contract.record import Record

EVENT_MAX_BYTES = 1024 * 1024


class Decoder:
    """Decodes records by the registry's event types. It rejects values over `max_bytes`; `new_id` makes ids."""

    def __init__(self, registry: Registry, max_bytes: int = EVENT_MAX_BYTES, new_id: type[UUID] = UUID) -> None:
        self._types = registry.event_types
        self._max_bytes = max_bytes
        self._fast = FastPath(registry, max_bytes, new_id)

    def __call__(self, record: Record) -> Decoded:
        """Decode one record."""
        return self._fast.read(record) or self.carefully(record)

    def all(self, records: Iterable[Record]) -> list[Decoded]:
        """Decode `records`, in their order. It never raises."""
        fast, carefully = self._fast.read, self.carefully
        return [fast(record) or carefully(record) for record in records]

    def carefully(self, record: Record) -> Decoded:
        """Decode one record without the fast path. It never raises.

        This is the one place that turns any error about a record into its rejection, for `run`, `verify` and
        `dead-letters retry`.
        """
        envelope: Envelope | None = None
        try:
            headers = read_headers(record) if record.headers else {}
            value = record.value
            if value is None:
                if not is_binary(headers):
                    return Ignored(record)
                value = b""
            self._check_value(value)
            envelope = read_envelope(value, headers)
            if (known := self._types.get(envelope.type)) is None:
                return Ignored(record)
            return self._event(record, envelope, *known)
        except Rejected as rejected:
            return rejection(record, rejected, envelope)
        except Exception as error:
            return rejection(record, unforeseen(error), envelope)

    def _check_value(self, value: bytes) -> None:
        if len(value) > self._max_bytes:
            raise Rejected(Reason.TOO_LARGE, f"the value is longer than {self._max_bytes} bytes")
        if (len(value) >= 5 and value[0] == 0) or (len(value) >= 17 and value[0] == 1):
            raise Rejected(Reason.SCHEMA_REGISTRY_FRAMING, "the value is framed by a schema registry's client")

    def _event(self, record: Record, envelope: Envelope, projection: Projection, event_type: EventType) -> Event:
        data = envelope.data
        if isinstance(data, Rejected):
            raise data
        if data is MISSING or not isinstance(data, dict):
            raise Rejected(Reason.INVALID_DATA, "data: required, a JSON object")
        if event_type.complete_as is not None:
            complete = self._types[event_type.complete_as][1]
            if complete.names <= data.keys():
                event_type = complete
        event = read_data(projection, event_type, data, envelope, record)
        key = record.key
        if key is not None and not _names(event.id, data["id"], key):
            raise Rejected(Reason.KEY_MISMATCH, "the record's key is not data.id")
        if envelope.subject is not None and not _names(event.id, data["id"], envelope.subject.encode()):
            raise Rejected(Reason.SUBJECT_MISMATCH, "subject is not data.id")
        return event


def read_data(
    projection: Projection, event_type: EventType, data: Mapping[str, Any], envelope: Envelope, record: Record
) -> Event:
    """Check `data` against its schema and turn it into columns. Rejected names the wrong fields."""
    try:
        checked = event_type.adapter.validate_python(data)
    except ValidationError as error:
        raise Rejected(Reason.INVALID_DATA, _problems(error)) from None
    return make_event(projection, event_type, checked, envelope, envelope.time, record)


def rejection(record: Record, rejected: Rejected, envelope: Envelope | None) -> Rejection:
    """The rejection of `record`, with the attributes that could be read."""
    if envelope is None:
        return Rejection(record, rejected.reason, rejected.error)
    entity_id = envelope.data.get("id") if isinstance(envelope.data, dict) else None
    return Rejection(
        record,
        rejected.reason,
        rejected.error,
        envelope.id,
        envelope.source,
        envelope.type,
        _uuid_or_none(entity_id),
    )


def unforeseen(error: Exception) -> Rejected:
    """An error that nobody foresaw, as a rejection. It names the type only: the error's text may quote the record."""
    return Rejected(Reason.UNDECODABLE, f"reading it fails with {type(error).__name__}")


def _names(entity_id: UUID, raw_id: str, text: bytes) -> bool:
    if text == raw_id.encode():
        return True
    try:
        return UUID(text.decode()) == entity_id
    except ValueError:
        return False


def _uuid_or_none(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _problems(error: ValidationError) -> str:
    """The wrong fields: with our own sentence, or with pydantic's error type, because its sentences may quote input."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    said = {(p["loc"], p["msg"] if p["type"] == OWN_PROBLEM else p["type"]) for p in problems}
    return "; ".join(sorted(f"data.{'.'.join(map(str, loc))}: {what}" for loc, what in said))
