"""An entity that differs, ready to be healed."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from neon_projector.projections.contract.event import Event
from neon_projector.projections.contract.projection import PARTIAL

NOTHING = sha256(b"[null, null, null]").digest()
"""What stands for an entity of which there is neither a row, nor a state, nor a parked event
(`projections.sql.rebuild`)."""


@dataclass(frozen=True)
class Sick:
    """An entity that differs: what stood for it in the snapshot, and the events that decide its state, in the order of
    the log (none: it must not be there). None for the events: one of them is lost. `keeps`: the versions of its parked
    events that the topics can't prove: they stay, and are applied where their turn comes."""

    id: UUID
    seen: bytes
    events: list[Event] | None
    keeps: Sequence[int] = ()

    @property
    def is_new(self) -> bool:
        """Nothing is there of it: then it needs no exclusive lock, as any other event."""
        return self.seen == NOTHING and bool(self.events)

    @property
    def has_state(self) -> bool:
        return any(event.kind is not PARTIAL for event in self.events or ())
