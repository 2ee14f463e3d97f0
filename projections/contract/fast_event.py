"""The fast path for one type of event: what msgspec must find in the record, and how that becomes an Event."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, get_args, get_origin
from uuid import UUID

import msgspec
from typing_extensions import TypedDict, get_type_hints

from neon_projector.projections.contract.event import Event, make_event
from neon_projector.projections.contract.fast_fields import plain
from neon_projector.projections.contract.fast_values import Doubt, check_email, read_time
from neon_projector.projections.contract.fields import Email, EntityId, Time
from neon_projector.projections.contract.projection import EventType, Projection
from neon_projector.projections.contract.record import Record

Text = Annotated[str, msgspec.Meta(min_length=1)]

_NOT_REQUIRED: tuple[Any, ...] = (NotRequired,)
_NOTHING = Literal["\0"]
"""No value that comes: a text with a NUL is refused before. Such a field leaves the record to the careful way."""


class FastEnvelope(msgspec.Struct, gc=False, kw_only=True):
    """An event's attributes. Each event type gets a subclass with its own `type` and `data`."""

    specversion: Literal["1.0"]
    id: Text
    source: Text
    time: str | None = None
    subject: str | None = None
    datacontenttype: Literal["application/json"] | None = None
    data_base64: None = None


class Reader:
    """Turns a decoded envelope of one event type into an Event, by the same schema as the careful way."""

    def __init__(
        self, projection: Projection, event_type: EventType, complete: EventType | None, new_id: type[UUID]
    ) -> None:
        self._projection, self._event_type, self._complete = projection, event_type, complete
        self._new_id = _exactly if new_id is UUID else new_id
        hints = _hints(event_type) if complete is None else _hints(complete) | _hints(event_type)
        self._foreign = tuple(hints.keys() - event_type.names)
        self._partial = () if complete is None else tuple(hints.keys() - complete.names)
        self._least = 0 if complete is None else len(complete.whole)
        """With fewer fields `data` is no complete event."""
        self._all = len(hints) if complete is not None and hints.keys() == complete.names else None
        """With so many fields `data` is a complete event; None: a count is not enough to tell."""
        self._times = tuple(name for name, hint in hints.items() if hint is Time)
        self._emails = tuple(name for name, hint in hints.items() if hint is Email)
        self._ids = tuple(name for name, hint in hints.items() if hint is EntityId)
        kinds = {name: plain(hint) for name, hint in hints.items()}
        self.fits = None not in kinds.values()
        """Whether the fast path knows every kind of field of this event type. If not, the careful way reads it."""
        must: frozenset[str] = event_type.schema.__required_keys__  # type: ignore[attr-defined]  # a TypedDict has it
        fields = {name: kind if name in must else NotRequired[kind] for name, kind in kinds.items()}
        others = event_type.other_names if complete is None else {**complete.other_names, **event_type.other_names}
        fields |= {
            name: NotRequired[_NOTHING] for name, field in others.items() if field not in must and name not in fields
        }
        schema = TypedDict(event_type.name, fields)  # type: ignore[misc]  # made, not written
        self.envelope = msgspec.defstruct(
            "Envelope",
            [("data", schema)],
            bases=(FastEnvelope,),
            namespace={"type": event_type.name},
            tag_field="type",
            tag=event_type.name,
            gc=False,
            kw_only=True,
        )

    def read(self, envelope: Any, record: Record) -> Event:
        """The event. Doubt if the careful way must decide."""
        data, key, subject = envelope.data, record.key, envelope.subject
        text = data["id"]
        if (key is not None and key != text.encode()) or (subject is not None and subject != text):
            raise Doubt  # a UUID has several spellings
        time = None if envelope.time is None else read_time(envelope.time)
        self._give_types(data, envelope.time, time)
        return make_event(self._projection, self._read_as(data), data, envelope, time, record)

    def _give_types(self, data: dict[str, Any], known: str | None, time: datetime | None) -> None:
        """Give `data` the columns' types. An event often repeats its time: `known` is the text of `time`."""
        new_id = self._new_id
        for name in self._ids:
            if name in data:
                text = data[name]
                if text[8:24:5] != "----":  # "01234567-0123-0123-0123-0123456789ab"[8:24:5] == "----"
                    raise Doubt
                data[name] = new_id(text)
        for name in self._times:
            if name in data:
                if (text := data[name]) != known:
                    known, time = text, read_time(text)
                data[name] = time
        for name in self._emails:
            if name in data:
                check_email(data[name])

    def _read_as(self, data: dict[str, Any]) -> EventType:
        """The event type that `data` has the fields of; fields of the other type are removed."""
        if self._complete is not None:
            number = len(data)
            if number >= self._least and (number == self._all or self._complete.whole <= data.keys()):
                for name in self._partial:
                    data.pop(name, None)
                return self._complete
            for name in self._foreign:
                data.pop(name, None)
        return self._event_type


def _exactly(text: str) -> UUID:
    """The id. Doubt where it is not written as 32 hexadecimal digits: `UUID` takes also what else `int` takes."""
    one = UUID(text)
    if str(one) != text.lower():
        raise Doubt
    return one


def _hints(event_type: EventType) -> dict[str, Any]:
    """The schema's fields and their annotated types, without NotRequired."""
    hints = get_type_hints(event_type.schema, include_extras=True)
    return {name: get_args(hint)[0] if get_origin(hint) in _NOT_REQUIRED else hint for name, hint in hints.items()}
