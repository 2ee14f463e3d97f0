"""Decodes a record to an event, a rejection, or nothing: the contract, in code."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from msgspec.structs import asdict
from pydantic import ValidationError

from neon_projector.projections.contract.broken_json import is_utf_16
from neon_projector.projections.contract.entity_of import entity_of
from neon_projector.projections.contract.envelope import MISSING, Envelope, read_envelope
from neon_projector.projections.contract.event import Decoded, Event, Ignored, MisnamedEvent, Rejection, make_event
from neon_projector.projections.contract.fast_path import FastPath
from neon_projector.projections.contract.headers import is_binary, read_headers
from neon_projector.projections.contract.mistaken_key import kind_of_key
from neon_projector.projections.contract.outcome import Rejected
from neon_projector.projections.contract.problems import wrong_data
from neon_projector.projections.contract.projection import EventType, Projection, Registry
from neon_projector.projections.contract.record import Record
from neon_projector.projections.contract.spellings import misnamed
from neon_projector.projections.contract.words.kinds import kind_of
from neon_projector.projections.contract.words.of_data import MISNAMED, NOT_OBJECT, REQUIRED
from neon_projector.projections.contract.words.of_envelopes import KEY, SUBJECT
from neon_projector.projections.contract.words.of_states import UNFORESEEN
from neon_projector.projections.contract.words.of_values import FRAMED, FRAMED_BY_UUID, TOO_LARGE

EVENT_MAX_BYTES = 1024 * 1024


class Decoder:
    """Decodes records by the registry's event types. It rejects values over `max_bytes`; `new_id` makes ids.

    `strict` rejects events with a field under another name than its own (`isActive`), which are else read without it.
    """

    def __init__(
        self,
        registry: Registry,
        max_bytes: int = EVENT_MAX_BYTES,
        new_id: type[UUID] = UUID,
        *,
        strict: bool = False,
    ) -> None:
        self._types = registry.event_types
        self._strict = strict
        self._others = {name: frozenset(self._other_names(own)) for name, (_, own) in self._types.items()}
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
                return Ignored(record, envelope.type, envelope.source)
            return self._event(record, envelope, *known)
        except Rejected as rejected:
            return rejection(record, rejected, envelope)
        except Exception as error:
            return rejection(record, unforeseen(error), envelope)

    def _check_value(self, value: bytes) -> None:
        if len(value) > self._max_bytes:
            raise TOO_LARGE.rejected(most=self._max_bytes, came=len(value))
        if len(value) >= 5 and value[0] == 0 and not is_utf_16(value):
            raise FRAMED.rejected()
        if len(value) >= 17 and value[0] == 1:
            raise FRAMED_BY_UUID.rejected()

    def _event(self, record: Record, envelope: Envelope, projection: Projection, event_type: EventType) -> Event:
        data = envelope.data
        if isinstance(data, Rejected):
            raise data
        if data is MISSING or not isinstance(data, dict):
            raise REQUIRED.rejected(field="data") if data is MISSING else NOT_OBJECT.rejected(came=kind_of(data))
        others = self._others[event_type.name]
        if event_type.complete_as is not None:
            complete = self._types[event_type.complete_as][1]
            if complete.whole <= data.keys():
                event_type = complete
        if others.isdisjoint(data):
            event = read_data(projection, event_type, data, envelope, record)
        else:
            event = self._without_misnamed(projection, event_type, data, envelope, record)
        key = record.key
        if key is not None and not _names(event.id, data["id"], key):
            raise KEY.rejected(came=kind_of_key(key, data, event_type.names, envelope.id))
        if envelope.subject is not None and not _names(event.id, data["id"], envelope.subject.encode()):
            came = kind_of_key(envelope.subject.encode(), data, event_type.names, envelope.id)
            raise SUBJECT.rejected(field="subject", came=came)
        return event

    def _without_misnamed(
        self, projection: Projection, event_type: EventType, data: Mapping[str, Any], envelope: Envelope, record: Record
    ) -> Event:
        """The event without the fields that stand under another name, if there are any. If `strict`, it is rejected."""
        other = misnamed(self._other_names(self._types[envelope.type][1]), data)
        said = "; ".join(MISNAMED.says.format(field=f"data.{field}", came=other[field]) for field in sorted(other))
        try:
            event = read_data(projection, event_type, data, envelope, record)
        except Rejected as rejected:
            raise Rejected(rejected.reason, f"{rejected.error}; {said}" if said else rejected.error) from None
        if other and self._strict:
            raise Rejected(MISNAMED.reasons[0], said)
        return MisnamedEvent(**asdict(event), misnamed=other) if other else event

    def _other_names(self, event_type: EventType) -> Mapping[str, str]:
        """Those of its fields, and of the fields that would make it complete."""
        if event_type.complete_as is None:
            return event_type.other_names
        return {**self._types[event_type.complete_as][1].other_names, **event_type.other_names}


def read_data(
    projection: Projection, event_type: EventType, data: Mapping[str, Any], envelope: Envelope, record: Record
) -> Event:
    """Check `data` against its schema and turn it into columns. Rejected names the wrong fields."""
    try:
        checked = event_type.adapter.validate_python(data)
    except ValidationError as error:
        raise wrong_data(error, event_type.name, data) from None
    return make_event(projection, event_type, checked, envelope, envelope.time, record)


def rejection(record: Record, rejected: Rejected, envelope: Envelope | None) -> Rejection:
    """The rejection of `record`, with the attributes that could be read."""
    entity_id = entity_of(record, envelope)
    if envelope is None:
        return Rejection(record, rejected.reason, rejected.error, entity_id=entity_id)
    attributes = (envelope.id, envelope.source, envelope.type)
    return Rejection(record, rejected.reason, rejected.error, *attributes, entity_id)


def unforeseen(error: Exception) -> Rejected:
    """An error that nobody foresaw, as a rejection. It names the type only: the error's text may quote the record."""
    return UNFORESEEN.rejected(error=type(error).__name__)


def _names(entity_id: UUID, raw_id: str, text: bytes) -> bool:
    if text == raw_id.encode():
        return True
    try:
        return UUID(text.decode()) == entity_id
    except ValueError:
        return False
