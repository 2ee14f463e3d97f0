"""Asking again until an answer comes, or the time is over."""

import time
from collections.abc import Iterator
from typing import TypeVar

from sqlalchemy import func, select

from neon_projector.models.reading.steps import Pause, Plan

T = TypeVar("T")

FIRST_SECONDS, LONGEST_SECONDS = 0.01, 0.5
"""A record is typically applied within some 15 ms."""


def pauses(timeout: float) -> Iterator[Pause]:
    """The pauses between questions, each twice as long as the one before. After the last one `timeout` is over."""
    end, pause = time.monotonic() + timeout, FIRST_SECONDS
    while (left := end - time.monotonic()) > 0:
        yield Pause(min(pause, left))
        pause = min(2 * pause, LONGEST_SECONDS)


def seeing_new(plan: Plan[T]) -> Plan[T]:
    """The plan in a session. ValueError where its transaction has a snapshot: it would see nothing new."""
    ((isolation,),) = (yield select(func.current_setting("transaction_isolation"))) or ()
    if isolation not in ("read committed", "read uncommitted"):
        raise ValueError(f"waiting in a transaction that is {isolation} sees nothing new: give it the engine")
    return (yield from plan)
