"""A third entity, known to the tests alone: comments under a document, by a user. Nothing in consumer/ knows it."""

from datetime import datetime
from typing import NotRequired
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, MetaData
from sqlmodel import Field, SQLModel
from typing_extensions import TypedDict

from neon_projector.projections.contract.fields import EntityId, Time, Title, Version
from neon_projector.projections.contract.projection import EventType, Kind, Parent, Projection, Registry, Words
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


DOCUMENT, AUTHOR = "0b9f3c66-6d0e-4f0a-8a57-1d2c3b4a5f60", "86fb818d-9e92-5942-a62a-b31717e7a536"

COMMENTS = Projection(
    entity="comment",
    model=Comment,
    topic_setting="COMMENTS_TOPIC",
    default_topic="comments",
    parents=(Parent("document", "document_id"), Parent("user", "author_id")),
    words={
        "body": Words("Text", "What the comment says.", "I agree."),
        "document_id": Words("Document", "The id of the document that it is about.", DOCUMENT),
        "author_id": Words("Author", "The id of the user who wrote it.", AUTHOR),
    },
    event_types=(
        EventType("comment.created", Kind.COMPLETE, CommentCreated, title="A comment was written"),
        EventType(
            "comment.updated",
            Kind.PARTIAL,
            CommentUpdated,
            complete_as="comment.created",
            changes=frozenset({"body"}),
            title="A comment was changed",
        ),
        EventType("comment.deleted", Kind.DELETED, CommentDeleted, title="A comment was deleted"),
    ),
)

WITH_COMMENTS = Registry(USERS, DOCUMENTS, COMMENTS)
