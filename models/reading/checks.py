"""What readers refuse before the database sees it. The errors are ValueErrors, and quote nothing of what came."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator

MAX_PAGE = 1000


def zoned(name: str, time: datetime) -> datetime:
    """`time`. ValueError without a zone: the driver would take it for a time of this machine's zone."""
    if time.utcoffset() is None:
        raise ValueError(f"{name}: a time needs a zone, as in datetime(2026, 11, 22, tzinfo=UTC)")
    return time


def storable(name: str, text: str) -> str:
    """`text`. ValueError if Postgres can't store it, so that no row can have it."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError(f"{name}: a text has no NUL character and no lone surrogate")
    return text


def counted(name: str, number: int, bits: int = 64) -> int:
    """`number`. ValueError unless it is 0 or more and fits a signed integer of so many bits."""
    if not 0 <= number < 2 ** (bits - 1):
        raise ValueError(f"{name} must be 0 to 2^{bits - 1} - 1")
    return number


def limited(limit: int) -> int:
    """`limit`. ValueError unless it is 1 to 1000."""
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit must be 1 to {MAX_PAGE}")
    return limit


Text = Annotated[str, AfterValidator(lambda text: storable("text", text))]
"""A parameter of a request that becomes a filter: what `storable` refuses is a 422 in FastAPI."""
