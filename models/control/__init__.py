"""The service's own tables, in the schema `projector`. Applications need none of them, and importing
`neon_projector.models` makes none known to SQLAlchemy."""

from neon_projector.models.base import metadata as entity_metadata
from neon_projector.models.control.base import metadata
from neon_projector.models.control.changes import Change
from neon_projector.models.control.service import Difference, IntakeStop, Oddity, Offset, Operation, ServiceSettings
from neon_projector.models.control.waiting import AbsentState, DeadLetter, ParkedEvent

ALL_METADATA = (entity_metadata, metadata)
"""Every table that `projector migrate` makes."""

__all__ = [
    "ALL_METADATA",
    "AbsentState",
    "Change",
    "DeadLetter",
    "Difference",
    "IntakeStop",
    "Oddity",
    "Offset",
    "Operation",
    "ParkedEvent",
    "ServiceSettings",
    "metadata",
]
