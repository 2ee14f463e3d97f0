"""Documents: the events of the contract and the projection they make."""

from typing import NotRequired

from typing_extensions import TypedDict

from neon_projector.models.document import Document
from neon_projector.projections.contract.fields import Content, EntityId, Time, Title, Version
from neon_projector.projections.contract.projection import EventType, Kind, Parent, Projection


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


DOCUMENTS = Projection(
    entity="document",
    model=Document,
    topic_setting="DOCUMENTS_TOPIC",
    default_topic="documents",
    parents=(Parent("user", "user_id"),),
    sought=("title",),
    event_types=(
        EventType("document.created", Kind.COMPLETE, DocumentCreated, defaults={"content": None}),
        EventType(
            "document.updated",
            Kind.PARTIAL,
            DocumentUpdated,
            complete_as="document.created",
            changes=frozenset({"title", "content"}),
        ),
        EventType(
            "document.ownership_transferred",
            Kind.PARTIAL,
            OwnershipTransferred,
            renames={"to_user_id": "user_id"},
            expects={"from_user_id": "user_id"},
        ),
        EventType("document.deleted", Kind.DELETED, DocumentDeleted),
    ),
)
