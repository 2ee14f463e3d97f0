"""Reads what nearly every record is, a structured CloudEvent without a blemish, in a tenth of the time.

It is a short cut and decides nothing: where there is any doubt it gives None, and `projections.decode` reads the
record with care, which also finds the reason of a rejection. What it does give is what the careful way gives: tests
hold the two against each other (tests/unit/test_quick.py).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, cast, get_args, get_origin
from uuid import UUID

import msgspec
from email_validator import SPECIAL_USE_DOMAIN_NAMES
from typing_extensions import TypedDict, get_type_hints

from models.document import TITLE_LENGTH
from models.user import NAME_LENGTH
from projections.envelope import CE_PREFIX
from projections.event import Event, make_event
from projections.fields import Content, Email, EntityId, Flag, Name, Time, Title, Version
from projections.outcome import Rejected
from projections.projection import EventType, Projection, Registry
from projections.record import Record

Text = Annotated[str, msgspec.Meta(min_length=1)]
Headers = Sequence[tuple[str, bytes | None]]

_EMAIL = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+([a-z]{2,})")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.(?:[0-9]{3}|[0-9]{6}))?(?:Z|\+00:00)")
_SPECIAL_USE = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
_SHORT = 64
"""Up to this length no part of an e-mail address can be too long."""
_MEMO = 1_000
"""So many are remembered of what repeats."""
_NOT_REQUIRED: tuple[Any, ...] = (NotRequired,)

_PLAIN: Mapping[Any, Any] = {
    Version: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)],
    Email: str,
    Name: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LENGTH)],
    Title: Annotated[str, msgspec.Meta(min_length=1, max_length=TITLE_LENGTH)],
    Content: str | None,
    Flag: bool,
    Time: str,
}
"""How the contract's fields are read here. An event type with any other is left to the careful way."""


class Doubt(Exception):
    """Not a case for the short cut."""


class QuickEnvelope(msgspec.Struct, gc=False):
    """An event's attributes, its data unread."""

    specversion: Literal["1.0"]
    id: Text
    source: Text
    type: Text
    data: msgspec.Raw
    time: str | None = None
    subject: str | None = None
    datacontenttype: Literal["application/json"] | None = None
    data_base64: None = None


class Times(dict[str, datetime]):
    """Times by their text, the last ones remembered: an event often has the same one twice."""

    def __missing__(self, text: str) -> datetime:
        if not _TIME.fullmatch(text):
            raise Doubt
        if len(self) >= _MEMO:
            self.clear()
        value = self[text] = datetime.fromisoformat(text)
        return value


class Reader:
    """Reads the `data` of one type of event into columns' values, by the same schema as the careful way."""

    def __init__(self, event_type: EventType, complete: EventType | None, new_id: type[UUID]) -> None:
        self._event_type, self._complete = event_type, complete
        hints = _hints(event_type) if complete is None else _hints(complete) | _hints(event_type)
        self._foreign = hints.keys() - event_type.names
        self._times = tuple(name for name, hint in hints.items() if hint is Time)
        self._emails = tuple(name for name, hint in hints.items() if hint is Email)
        kinds = {**_PLAIN, EntityId: new_id}
        self.fits = all(hint in kinds for hint in hints.values())
        """Whether every field is of a kind that is known here."""
        must: frozenset[str] = event_type.schema.__required_keys__  # type: ignore[attr-defined]
        fields = {n: kinds.get(h) if n in must else NotRequired[kinds.get(h)] for n, h in hints.items()}
        schema = TypedDict(event_type.name, fields)  # type: ignore[misc]  # made, not written
        self._read = msgspec.json.Decoder(schema, dec_hook=_canonical).decode

    def __call__(self, data: msgspec.Raw, times: Times) -> dict[str, Any]:
        checked = cast(dict[str, Any], self._read(data))
        for name in self._times:
            if name in checked:
                checked[name] = times[checked[name]]
        for name in self._emails:
            if name in checked:
                _check_email(checked[name])
        return checked

    def completed(self, checked: dict[str, Any]) -> EventType:
        """The event type as which `checked` is to be read; fields that this one does not have are taken out."""
        if self._complete is not None:
            if len(checked) == len(self._complete.names) and self._complete.names <= checked.keys():
                return self._complete
            for name in self._foreign:
                checked.pop(name, None)
        return self._event_type


class Quick:
    """Decodes records whose values are no longer than `max_bytes`; ids come as `new_id`."""

    def __init__(self, registry: Registry, max_bytes: int, new_id: type[UUID]) -> None:
        self._max_bytes = max_bytes
        self._new_id = new_id
        self._envelope = msgspec.json.Decoder(QuickEnvelope).decode
        self._times = Times()
        self._headers: dict[Headers, bool] = {}
        self._types: dict[str, tuple[Projection, Reader]] = {}
        for name, (projection, event_type) in registry.event_types.items():
            complete = registry.event_types[event_type.complete_as][1] if event_type.complete_as else None
            reader = Reader(event_type, complete, new_id)
            if reader.fits:
                self._types[name] = projection, reader

    def __call__(self, record: Record) -> Event | None:
        value = record.value
        if value is None or len(value) > self._max_bytes:
            return None
        try:
            if _is_plain_json(value) and (not record.headers or self._is_structured(record.headers)):
                return self._read(record, value)
        except (Doubt, ValueError, KeyError, Rejected):  # msgspec's errors are ValueErrors
            pass
        return None

    def _read(self, record: Record, value: bytes) -> Event:
        envelope = self._envelope(value)
        projection, reader = self._types[envelope.type]
        time = None if envelope.time is None else self._times[envelope.time]
        checked = reader(envelope.data, self._times)
        event = make_event(projection, reader.completed(checked), checked, envelope, time, record)
        if record.key is not None:
            self._check_id(event, record.key.decode())
        if envelope.subject is not None:
            self._check_id(event, envelope.subject)
        return event

    def _check_id(self, event: Event, text: str) -> None:
        if _canonical(self._new_id, text) != event.id:
            raise Doubt

    def _is_structured(self, headers: Headers) -> bool:
        """Whether the headers say, or leave it open, that the value is a CloudEvent in JSON."""
        known = self._headers.get(headers)
        if known is None:
            given = {name.lower(): value for name, value in headers if value is not None}
            binary = any(name.startswith(CE_PREFIX) for name in given)
            media_type = given.get("content-type", b"application/json").partition(b";")[0].strip().lower()
            known = media_type == b"application/cloudevents+json" or (media_type == b"application/json" and not binary)
            if len(self._headers) < _MEMO:
                self._headers[headers] = known
        return known


def _hints(event_type: EventType) -> dict[str, Any]:
    """The schema's fields with their annotated types, whether they may be absent or not."""
    hints = get_type_hints(event_type.schema, include_extras=True)
    return {name: get_args(hint)[0] if get_origin(hint) in _NOT_REQUIRED else hint for name, hint in hints.items()}


def _is_plain_json(value: bytes) -> bool:
    """UTF-8 throughout, and no NUL spelled out, also in what is not read."""
    if not value.isascii():
        value.decode()
    return b"\\" not in value or b"\\u0000" not in value


def _canonical(kind: type[UUID], text: str) -> UUID:
    """The id as nearly everybody writes it: 32 digits in five groups."""
    if len(text) == 36 and text[8] == text[13] == text[18] == text[23] == "-":
        return kind(text)
    raise ValueError


def _check_email(address: str) -> None:
    """Doubt unless the address is one that `EmailStr` gives back as it is."""
    found = _EMAIL.fullmatch(address)
    if found is None or len(address) > _SHORT or found[1] in _SPECIAL_USE:
        raise Doubt
