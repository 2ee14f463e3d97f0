"""What requests are answered with, in FastAPI as `response_model`: made from rows and pages as readers return them."""

from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from neon_projector.models.user import UserRead

Shown = TypeVar("Shown", bound=BaseModel)


class PageRead(BaseModel, Generic[Shown]):
    """A `Page` of such rows: `PageRead[UserRead]`, `PageRead[DocumentSummary]`."""

    model_config = ConfigDict(from_attributes=True)

    rows: list[Shown]
    after: str | None
    total: int | None


class DocumentSummary(BaseModel):
    """A document without its content, as lists have it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    user_id: UUID
    created_at: datetime
    updated_at: datetime
    version: int


class UserReadWithDocuments(UserRead):
    """A user with the documents that `get_user(…, with_documents=True)` has loaded."""

    model_config = ConfigDict(from_attributes=True)  # type: ignore[assignment]  # SQLModel's own is of pydantic's kind

    documents: list[DocumentSummary]
