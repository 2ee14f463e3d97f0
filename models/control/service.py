"""The service's own tables, in the schema `projector`: positions and counts, operations, intake stops, settings."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from neon_projector.models.control.base import Control, count, now


class Offset(Control, table=True):
    """The position of one partition, and how many offsets before it had which outcome.

    `applied + superseded + parked + rejected + ignored + skipped` is the distance that `next_offset` has moved.
    Offsets that Kafka no longer had at the start count as `skipped`. `epoch` rises with each claim, each stop of intake
    and each reset. `fingerprint` is `offset:digest` of the last record, and `topic_id` is Kafka's id of the topic
    (KIP-516); both reveal a recreated topic.
    """

    __tablename__ = "offsets"

    group_id: str = Field(primary_key=True, sa_type=Text)
    topic: str = Field(primary_key=True, sa_type=Text)
    partition: int = Field(primary_key=True, sa_type=Integer)
    next_offset: int = Field(sa_type=BigInteger)
    epoch: int = count()
    applied: int = count()
    superseded: int = count()
    parked: int = count()
    rejected: int = count()
    ignored: int = count()
    skipped: int = count()
    fingerprint: str | None = Field(default=None, sa_type=Text)
    topic_id: str | None = Field(default=None, sa_type=Text)
    updated_at: datetime = now()


class Operation(Control, table=True):
    """One command of an operator: who, when, the values before and after, and the outcome.

    A command of one step is `completed` when it is written; `filter` has its `group_id`, if it concerns one group only
    (`offsets reset`, `pause`, `resume`). Long work (`replay`, say) has more: `filter` is what it was
    asked for, and `ranges` what it reads (`{"topic:partition": [from, to]}`), both fixed at its start; `position` and
    `done` say how far it is committed, of `total` (NULL: unknown). `epoch` rises when somebody resumes or cancels it,
    so that an earlier runner changes nothing any more. `updated_at` is the runner's last sign of life.
    """

    __tablename__ = "operations"
    __table_args__ = (
        CheckConstraint("state IN ('started', 'running', 'paused', 'completed', 'failed', 'cancelled')", name="state"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    command: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    started_at: datetime = now()
    finished_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    before: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    outcome: str | None = Field(default=None, sa_type=Text)
    state: str = Field(default="completed", sa_type=Text, sa_column_kwargs={"server_default": text("'completed'")})
    epoch: int = count()
    filter: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    ranges: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    position: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    done: int = count()
    total: int | None = Field(default=None, sa_type=BigInteger)
    error: str | None = Field(default=None, sa_type=Text)
    updated_at: datetime = now()


class IntakeStop(Control, table=True):
    """A topic whose intake an operator or the fuse has stopped; `*` means every topic.

    If the row is not a pause, `topic` has the prefix `fuse:` or `accepted:`; `consumer/offsets/intake_stops.py`
    explains both. `until` says how long an operator's acceptance holds. `except_topics` continue while `*` is stopped.
    """

    __tablename__ = "intake_stops"

    group_id: str = Field(primary_key=True, sa_type=Text)
    topic: str = Field(primary_key=True, sa_type=Text)
    reason: str = Field(sa_type=Text)
    actor: str | None = Field(default=None, sa_type=Text)
    since: datetime = now()
    message: str | None = Field(default=None, sa_type=Text)
    until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    except_topics: list[str] | None = Field(default=None, sa_type=JSONB)


class ServiceSettings(Control, table=True):
    """The settings of a group's service that its commands must share; the last instance to claim writes them."""

    __tablename__ = "service_settings"

    group_id: str = Field(primary_key=True, sa_type=Text)
    event_max_bytes: int = Field(sa_type=BigInteger)
    contract_strict: bool = Field(
        default=False, sa_type=Boolean, sa_column_kwargs={"server_default": text("false"), "nullable": False}
    )
    updated_at: datetime = now()
    kafka_isolation_level: str | None = Field(default=None, sa_type=Text)


class Oddity(Control, table=True):
    """What was read and is odd, though nobody rejects it: `kind` `unknown_type`, by the type's name,
    or `misnamed_field`, as `type: name`.

    `resembles` is the name of the contract that is probably meant. `source` and `last_offset` are of the last such
    event. Names and sources are kept as a log may show them.
    """

    __tablename__ = "oddities"

    group_id: str = Field(primary_key=True, sa_type=Text)
    topic: str = Field(primary_key=True, sa_type=Text)
    partition: int = Field(primary_key=True, sa_type=Integer)
    kind: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(primary_key=True, sa_type=Text)
    resembles: str | None = Field(default=None, sa_type=Text)
    source: str = Field(sa_type=Text)
    number: int = Field(sa_type=BigInteger)
    last_offset: int = Field(sa_type=BigInteger)
    last_at: datetime = now()


class Difference(Control, table=True):
    """Something that a `verify` has found to be `missing`, `unexpected`, `different`, `unprovable` or `ahead`: in which
    table (`users`, or one of the service's own), and the versions that must be there and are. `columns` names what
    differs.

    They stay for `verify --recheck` and `rebuild`, until ten more of either have been made.
    """

    __tablename__ = "differences"
    __table_args__ = (Index("ix_differences_operation_id", "operation_id", "number"),)

    number: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    operation_id: int = Field(sa_type=BigInteger)
    entity: str = Field(sa_type=Text)
    id: UUID
    table_name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    columns: list[str] | None = Field(default=None, sa_type=JSONB)
    expected_version: int | None = Field(default=None, sa_type=BigInteger)
    found_version: int | None = Field(default=None, sa_type=BigInteger)
