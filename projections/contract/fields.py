"""The types of the fields in an event's `data`. They are strict, so that a publisher's mistake shows at once."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from neon_projector.models.address import Address
from neon_projector.models.document import TITLE_LENGTH
from neon_projector.models.user import EMAIL_LENGTH, NAME_LENGTH

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-5][0-9])"
)

TIME_PROBLEM, ID_PROBLEM = "time", "id"
"""The pydantic error types of our own checks. `contract/problems.py` has the sentences."""


def parse_time(text: Any) -> datetime:
    """Parse an RFC 3339 time with a zone, to UTC, cut to microseconds. ValueError for anything else."""
    if isinstance(text, datetime):
        return text
    if not isinstance(text, str) or not _RFC3339.fullmatch(text) or text[17:19] == "60":
        raise ValueError("no time")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("no time") from None


def _time(value: Any) -> datetime:
    try:
        return parse_time(value)
    except ValueError:
        raise PydanticCustomError(TIME_PROBLEM, "no time") from None


def _uuid(value: Any) -> Any:
    if not isinstance(value, (str, UUID)):
        raise PydanticCustomError(ID_PROBLEM, "no id")
    return value


EntityId = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
Version = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]
Email = Annotated[Address, Field(max_length=EMAIL_LENGTH)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=NAME_LENGTH)]
Title = Annotated[str, Field(strict=True, min_length=1, max_length=TITLE_LENGTH)]
Content = Annotated[str, Field(strict=True)] | None
Flag = Annotated[bool, Field(strict=True)]
Time = Annotated[datetime, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]

__all__ = [
    "ID_PROBLEM", "TIME_PROBLEM", "Content", "Email", "EntityId", "Flag", "Name", "Time", "Title", "Version",
    "parse_time",
]  # fmt: skip
