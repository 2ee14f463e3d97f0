"""Comments: the events of the contract and the projection they make."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from neon_projector.projections.contract.fields import EntityId, Time, Version
from neon_projector.projections.contract.projection import EventType, Kind, Parent, Projection, Words
from tests.support.comments.model import BODY_LENGTH, Comment

Body = Annotated[str, Field(strict=True, min_length=1, max_length=BODY_LENGTH)]


class CommentCreated(TypedDict):
    id: EntityId
    version: Version
    body: Body
    document_id: EntityId
    author_id: EntityId
    created_at: NotRequired[Time]
    updated_at: NotRequired[Time]


class CommentUpdated(TypedDict):
    id: EntityId
    version: Version
    body: NotRequired[Body]
    updated_at: NotRequired[Time]


class CommentDeleted(TypedDict):
    id: EntityId
    version: Version


DOCUMENT, AUTHOR = "0b9f3c66-6d0e-4f0a-8a57-1d2c3b4a5f60", "86fb818d-9e92-5942-a62a-b31717e7a536"
"""Ids for examples."""

CALLED = {"body": ("text", "content"), "author_id": ("user_id",)}

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
        EventType("comment.created", Kind.COMPLETE, CommentCreated, called=CALLED, title="A comment was written"),
        EventType(
            "comment.updated",
            Kind.PARTIAL,
            CommentUpdated,
            complete_as="comment.created",
            changes=frozenset({"body"}),
            called=CALLED,
            title="A comment was changed",
        ),
        EventType("comment.deleted", Kind.DELETED, CommentDeleted, title="A comment was deleted"),
    ),
)
