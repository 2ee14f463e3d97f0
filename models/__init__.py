"""The data layer: tables, their schemas, engine, session and readers. It imports no other package of the project.

Here is what applications read. `models.control` has the service's own tables.
"""

from neon_projector.models.base import CONTROL_SCHEMA, ENTITY_SCHEMA, metadata
from neon_projector.models.document import Document, DocumentCreate, DocumentRead, DocumentUpdate
from neon_projector.models.user import User, UserCreate, UserRead, UserUpdate

__all__ = [
    "CONTROL_SCHEMA",
    "ENTITY_SCHEMA",
    "Document",
    "DocumentCreate",
    "DocumentRead",
    "DocumentUpdate",
    "User",
    "UserCreate",
    "UserRead",
    "UserUpdate",
    "metadata",
]
