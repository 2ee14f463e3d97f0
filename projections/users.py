"""Users: the events of the contract and the projection they make."""

from typing import NotRequired

from typing_extensions import TypedDict

from neon_projector.models.user import User
from neon_projector.projections.contract.fields import Email, EntityId, Flag, Name, Time, Version
from neon_projector.projections.contract.projection import EventType, Kind, Projection, Words


class UserCreated(TypedDict):
    id: EntityId
    version: Version
    email: Email
    name: Name
    is_active: NotRequired[Flag]
    created_at: NotRequired[Time]
    updated_at: NotRequired[Time]


class UserUpdated(TypedDict):
    id: EntityId
    version: Version
    email: NotRequired[Email]
    name: NotRequired[Name]
    is_active: NotRequired[Flag]
    updated_at: NotRequired[Time]


class UserDeleted(TypedDict):
    id: EntityId
    version: Version


CALLED = {"is_active": ("active", "enabled"), "name": ("full_name", "display_name"), "email": ("email_address",)}

USERS = Projection(
    entity="user",
    model=User,
    topic_setting="USERS_TOPIC",
    default_topic="users",
    unique=("email",),
    secrets=("password",),
    sought=("email",),
    words={
        "email": Words("E-mail address", "Only one user has an address at a time.", "ada@example.com"),
        "name": Words("Name", "The name that is shown.", "Ada Lovelace"),
        "is_active": Words("Active", "Whether the account is in use.", True),
    },
    event_types=(
        EventType(
            "user.created",
            Kind.COMPLETE,
            UserCreated,
            defaults={"is_active": True},
            called=CALLED,
            title="A user was created",
        ),
        EventType(
            "user.updated",
            Kind.PARTIAL,
            UserUpdated,
            complete_as="user.created",
            changes=frozenset({"email", "name", "is_active"}),
            called=CALLED,
            title="A user was changed",
        ),
        EventType("user.deleted", Kind.DELETED, UserDeleted, title="A user was deleted"),
    ),
)
