"""Documents: the events of the contract and the projection they make."""

from typing import NotRequired

from typing_extensions import TypedDict

from neon_projector.models.document import Document
from neon_projector.projections.contract.fields import Content, EntityId, Time, Title, Version
from neon_projector.projections.contract.projection import EventType, Kind, Parent, Projection, Words


class DocumentCreated(TypedDict):
    id: EntityId
    version: Version
    title: Title
    content: NotRequired[Content]
    user_id: EntityId
    created_at: NotRequired[Time]
    updated_at: NotRequired[Time]


class DocumentUpdated(TypedDict):
    id: EntityId
    version: Version
    title: NotRequired[Title]
    content: NotRequired[Content]
    updated_at: NotRequired[Time]


class OwnershipTransferred(TypedDict):
    id: EntityId
    version: Version
    from_user_id: EntityId
    to_user_id: EntityId
    updated_at: NotRequired[Time]


class DocumentDeleted(TypedDict):
    id: EntityId
    version: Version


A_USER, ANOTHER_USER = "7b0c0f0e-6a0e-4c8e-9f57-0c5f3c3c1d11", "c1d3a2b4-0f5e-4d6a-8b7c-9e8f7a6b5c4d"
"""Ids for examples."""

CALLED = {"content": ("body", "text"), "user_id": ("owner_id", "author_id")}

DOCUMENTS = Projection(
    entity="document",
    model=Document,
    topic_setting="DOCUMENTS_TOPIC",
    default_topic="documents",
    parents=(Parent("user", "user_id"),),
    sought=("title",),
    words={
        "title": Words("Title", "The title that is shown.", "Notes"),
        "content": Words("Content", "The text; null: none.", "Some text."),
        "user_id": Words("Owner", "The id of the user who owns the document.", A_USER),
        "from_user_id": Words(
            "Owner before", "The id of the user who owns the document at the version before.", A_USER
        ),
        "to_user_id": Words("New owner", "The id of the user who owns the document now.", ANOTHER_USER),
    },
    event_types=(
        EventType(
            "document.created",
            Kind.COMPLETE,
            DocumentCreated,
            defaults={"content": None},
            called=CALLED,
            title="A document was created",
        ),
        EventType(
            "document.updated",
            Kind.PARTIAL,
            DocumentUpdated,
            complete_as="document.created",
            changes=frozenset({"title", "content"}),
            called=CALLED,
            title="A document was changed",
        ),
        EventType(
            "document.ownership_transferred",
            Kind.PARTIAL,
            OwnershipTransferred,
            renames={"to_user_id": "user_id"},
            expects={"from_user_id": "user_id"},
            title="A document was given to another user",
        ),
        EventType("document.deleted", Kind.DELETED, DocumentDeleted, title="A document was deleted"),
    ),
)
