"""The types of the fields in an event's `data`. They are strict, so that a publisher's mistake shows at once."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, EmailStr, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from neon_projector.models.document import TITLE_LENGTH
from neon_projector.models.user import EMAIL_LENGTH, NAME_LENGTH

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-5][0-9])"
)

OWN_PROBLEM = "own_problem"
"""The pydantic error type of our own checks. Their messages are sentences for people and never quote the input."""


def parse_time(text: Any) -> datetime:
    """Parse an RFC 3339 time with a zone, to UTC, cut to microseconds. ValueError for anything else."""
    if isinstance(text, datetime):
        return text
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise ValueError("expected an RFC 3339 time with a zone")
    if text[17:19] == "60":
        raise ValueError("a leap second (:60) is not accepted")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("expected a time that exists, from year 1 to year 9999") from None


def _time(value: Any) -> datetime:
    try:
        return parse_time(value)
    except ValueError as error:
        raise PydanticCustomError(OWN_PROBLEM, "{problem}", {"problem": str(error)}) from None


def _uuid(value: Any) -> Any:
    if not isinstance(value, (str, UUID)):
        raise PydanticCustomError(OWN_PROBLEM, "expected a UUID as text")
    return value


EntityId = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
Version = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]
Email = Annotated[EmailStr, Field(max_length=EMAIL_LENGTH)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=NAME_LENGTH)]
Title = Annotated[str, Field(strict=True, min_length=1, max_length=TITLE_LENGTH)]
Content = Annotated[str, Field(strict=True)] | None
Flag = Annotated[bool, Field(strict=True)]
Time = Annotated[datetime, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]

__all__ = ["OWN_PROBLEM", "Content", "Email", "EntityId", "Flag", "Name", "Time", "Title", "Version", "parse_time"]
