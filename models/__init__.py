"""The data layer: tables, their schemas, engine, session and readers. It imports nothing of ours."""

from models.base import CONTROL_SCHEMA, ENTITY_SCHEMA, metadata
from models.control import IntakeStop, Offset, Operation, Replay, ServiceSettings
from models.document import Document, DocumentCreate, DocumentRead, DocumentUpdate
from models.user import User, UserCreate, UserRead, UserUpdate
from models.waiting import AbsentState, DeadLetter, ParkedEvent

__all__ = [
    "CONTROL_SCHEMA",
    "ENTITY_SCHEMA",
    "AbsentState",
    "DeadLetter",
    "Document",
    "DocumentCreate",
    "DocumentRead",
    "DocumentUpdate",
    "IntakeStop",
    "Offset",
    "Operation",
    "ParkedEvent",
    "Replay",
    "ServiceSettings",
    "User",
    "UserCreate",
    "UserRead",
    "UserUpdate",
    "metadata",
]
