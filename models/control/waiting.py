"""The tables of what applications do not see: states kept aside, parked events, dead letters."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from neon_projector.models.base import CONTROL_SCHEMA
from neon_projector.models.control.base import Control, now


class AbsentState(Control, table=True):
    """The newest state of an entity that its own table does not show, and the reason.

    `reason` is `deleted` or `erased` (a tombstone: `state` is null), `no_parent` (parked), `parent_deleted` (hidden),
    `contested`, or `refused`: the database did not accept the row, and `error` names the SQLSTATE, the constraint or
    trigger, and the table. `state` is the row for the entity's table. `waiting_for` is the id of the missing parent, or
    of the entity that holds the contested value.
    """

    __tablename__ = "absent_states"
    __table_args__ = (
        CheckConstraint(
            "reason IN ('deleted', 'erased', 'no_parent', 'parent_deleted', 'contested', 'refused')", name="reason"
        ),
        Index("ix_absent_states_waiting_for", "waiting_for", postgresql_where=text("waiting_for IS NOT NULL")),
        Index("ix_absent_states_hidden_since", "since", postgresql_where=text("reason = 'parent_deleted'")),
        Index("ix_absent_states_refused", "entity", "id", postgresql_where=text("reason = 'refused'")),
    )

    entity: str = Field(primary_key=True, sa_type=Text)
    id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    state: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    reason: str = Field(sa_type=Text)
    waiting_for: UUID | None = None
    since: datetime = now()
    error: str | None = Field(default=None, sa_type=Text)


class ParkedEvent(Control, table=True):
    """A partial event that waits for the versions before it. `data` has only the contract's fields.

    `traceparent` is of the span that published it (W3C Trace Context), where it named a valid one.
    """

    __tablename__ = "parked_events"
    __table_args__ = (Index(None, "topic", "partition", "offset"),)

    entity: str = Field(primary_key=True, sa_type=Text)
    entity_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    type: str = Field(sa_type=Text)
    data: dict[str, Any] = Field(sa_type=JSONB)
    event_id: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    topic: str = Field(sa_type=Text)
    partition: int = Field(sa_type=Integer)
    offset: int = Field(sa_type=BigInteger)
    since: datetime = now()
    traceparent: str | None = Field(default=None, sa_type=Text)


class DeadLetter(Control, table=True):
    """A rejected record, with the reason. Passwords are masked; `error` quotes no input.

    `value` has at most 64 KiB of the `value_length` bytes; `sha256` is of the whole value. `headers` has at most 100 of
    `header_count` headers. `header_count` is NULL if an older version wrote the letter; then `headers` has all.
    """

    __tablename__ = "dead_letters"
    __table_args__ = (
        UniqueConstraint("topic", "partition", "offset", "sha256"),
        CheckConstraint("status IN ('new', 'resolved', 'discarded')", name="status"),
        Index("ix_dead_letters_status_created_at", "status", "created_at"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    topic: str = Field(sa_type=Text)
    partition: int = Field(sa_type=Integer)
    offset: int = Field(sa_type=BigInteger)
    sha256: bytes = Field(sa_type=LargeBinary)
    key: bytes | None = Field(default=None, sa_type=LargeBinary)
    value: bytes | None = Field(default=None, sa_type=LargeBinary)
    value_length: int | None = Field(default=None, sa_type=Integer)
    headers: list[Any] = Field(default_factory=list, sa_type=JSONB)
    event_id: str | None = Field(default=None, sa_type=Text)
    source: str | None = Field(default=None, sa_type=Text)
    type: str | None = Field(default=None, sa_type=Text)
    entity_id: UUID | None = Field(default=None, index=True)
    reason: str = Field(sa_type=Text)
    error: str = Field(sa_type=Text)
    attempts: int = Field(default=1, sa_type=Integer, sa_column_kwargs={"server_default": text("1")})
    created_at: datetime = now()
    status: str = Field(default="new", sa_type=Text, sa_column_kwargs={"server_default": text("'new'")})
    header_count: int | None = Field(default=None, sa_type=Integer)


FORGOTTEN = "forgotten"
"""`absent_states.error` of what `projector forget` has erased."""
ABSENT_STATES, PARKED_EVENTS, DEAD_LETTERS = (
    f"{CONTROL_SCHEMA}.{model.__tablename__}" for model in (AbsentState, ParkedEvent, DeadLetter)
)
"""The tables' names in SQL."""
