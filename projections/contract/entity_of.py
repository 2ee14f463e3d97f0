"""Which entity a bad record is about, as far as it says so."""

from uuid import UUID

from neon_projector.projections.contract.envelope import Envelope
from neon_projector.projections.contract.record import Record
from neon_projector.projections.contract.words.kinds import uuid_or_none


def entity_of(record: Record, envelope: Envelope | None) -> UUID | None:
    """`data.id`, else the entity that the key names, else that of `subject`.

    An `id` of `data` that is the event's own id (an event sent as the data of another, say) names no entity, unless
    nothing else does.
    """
    key = None if record.key is None else uuid_or_none(record.key.decode("utf-8", "replace"))
    if envelope is None:
        return key
    named = key or uuid_or_none(envelope.subject)
    data = envelope.data if isinstance(envelope.data, dict) else {}
    own = uuid_or_none(data.get("id"))
    is_an_events = "specversion" in data or own == uuid_or_none(envelope.id)
    return named or own if is_an_events else own or named
