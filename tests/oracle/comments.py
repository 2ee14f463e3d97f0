"""A third entity, known to the tests alone: comments under a document, by a user. Nothing in consumer/ knows it."""

from datetime import datetime
from typing import NotRequired
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, MetaData
from sqlmodel import Field, SQLModel
from typing_extensions import TypedDict

from neon_projector.projections.contract.fields import EntityId, Time, Title, Version
from neon_projector.projections.contract.projection import EventType, Kind, Parent, Projection, Registry
from neon_projector.projections.documents import DOCUMENTS
from neon_projector.projections.users import USERS

TABLE = """
    CREATE TABLE comments (
        id uuid PRIMARY KEY, body varchar(255) NOT NULL,
        document_id uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
        author_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, version bigint NOT NULL
    )"""


class Comment(SQLModel, table=True):
    __tablename__ = "comments"
    metadata = MetaData()  # not the product's: its migrations know no comments

    id: UUID = Field(primary_key=True)
    body: str = Field(max_length=255)
    document_id: UUID
    author_id: UUID
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    version: int = Field(sa_type=BigInteger)


class CommentCreated(TypedDict):
    id: EntityId
    version: Version
    body: Title
    document_id: EntityId
    author_id: EntityId
    created_at: NotRequired[Time]
    updated_at: NotRequired[Time]


class CommentUpdated(TypedDict):
    id: EntityId
    version: Version
    body: NotRequired[Title]
    updated_at: NotRequired[Time]


class CommentDeleted(TypedDict):
    id: EntityId
    version: Version


COMMENTS = Projection(
    entity="comment",
    model=Comment,
    topic_setting="COMMENTS_TOPIC",
    default_topic="comments",
    parents=(Parent("document", "document_id"), Parent("user", "author_id")),
    event_types=(
        EventType("comment.created", Kind.COMPLETE, CommentCreated),
        EventType(
            "comment.updated",
            Kind.PARTIAL,
            CommentUpdated,
            complete_as="comment.created",
            changes=frozenset({"body"}),
        ),
        EventType("comment.deleted", Kind.DELETED, CommentDeleted),
    ),
)

WITH_COMMENTS = Registry(USERS, DOCUMENTS, COMMENTS)
