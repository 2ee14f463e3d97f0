"""The data layer: tables, their schemas, engine, session and readers. It imports no other package of the project."""

from neon_projector.models.base import CONTROL_SCHEMA, ENTITY_SCHEMA, metadata
from neon_projector.models.control import Difference, IntakeStop, Oddity, Offset, Operation, ServiceSettings
from neon_projector.models.document import Document, DocumentCreate, DocumentRead, DocumentUpdate
from neon_projector.models.user import User, UserCreate, UserRead, UserUpdate
from neon_projector.models.waiting import AbsentState, DeadLetter, ParkedEvent

__all__ = [
    "CONTROL_SCHEMA",
    "ENTITY_SCHEMA",
    "AbsentState",
    "DeadLetter",
    "Difference",
    "Document",
    "DocumentCreate",
    "DocumentRead",
    "DocumentUpdate",
    "IntakeStop",
    "Oddity",
    "Offset",
    "Operation",
    "ParkedEvent",
    "ServiceSettings",
    "User",
    "UserCreate",
    "UserRead",
    "UserUpdate",
    "metadata",
]
