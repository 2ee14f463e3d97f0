"""Checks single values on the fast path: times and e-mail addresses in their usual spelling, nothing else."""

import re
from datetime import datetime

_TIMES = {
    len("2026-11-22T12:00:00" + fraction + zone): (f"--T::{(fraction + zone)[0]}", zone)
    for fraction in ("", ".123", ".123456")
    for zone in ("Z", "+00:00")
}
"""By length of a time in UTC: the signs between its numbers, and its end.

One slice takes all the signs, because they stand three characters apart:

    "2026-11-22T12:00:00Z"[4:20:3] == "--T::Z"
    "2026-11-22T12:00:00.123+00:00"[4:20:3] == "--T::."

`fromisoformat` checks the numbers. On its own it would also accept weeks, other signs and other zones.
"""
_EMAIL = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}")
_SHORT = 64
"""Characters: up to this length no part of an e-mail address can be too long."""
_from_iso = datetime.fromisoformat


class Doubt(Exception):
    """The fast path cannot be sure about this record."""


def read_time(text: str) -> datetime:
    """The time; Doubt unless `text` is one in UTC with no, three or six digits of a second's fraction."""
    signs, zone = _TIMES.get(len(text), ("", ""))
    if text[4:20:3] != signs or not text.endswith(zone):
        raise Doubt
    return _from_iso(text)


def check_email(address: str) -> None:
    """Doubt unless `models.address.read_address` would return the address unchanged."""
    if len(address) > _SHORT or _EMAIL.fullmatch(address) is None:
        raise Doubt
