"""Which offsets of a partition were never read: deleted by Kafka before, or left out by an operator's reset."""

from collections.abc import Iterable, Mapping
from typing import Any

from neon_projector.consumer.admin.operations.operation import OF_GROUP, OPERATIONS
from neon_projector.consumer.admin.reset import COMMAND as RESET
from neon_projector.consumer.stored_json import json_of

Row = dict[str, Any]

RESETS = f"""
    SELECT before, after, finished_at, actor FROM {OPERATIONS}
    WHERE command = '{RESET}' AND jsonb_exists(before, :name) AND {OF_GROUP} ORDER BY id"""
"""Those of a partition, as `topic:partition`, and of one group, the oldest first."""


def left_out(
    name: str, resets: Iterable[Mapping[str, Any]], position: int | None, earliest: int, *, created_again: bool = False
) -> list[Row]:
    """The windows: offsets `from` up to `to`, which is not one of them; `at` and `by` of the reset that went over them
    (None: none has yet); the times around them, where they are known: `position_moved_at`, `first_left_at`; whether the
    topic was `created_again` since, so that nothing of the window is in Kafka, whatever has its offsets now.

    A reset forward leaves a window out; a later one back lets what Kafka still had of it be read. `created_again`: the
    topic is another one than that of the position.
    """
    earlier, windows = list[Row](), list[Row]()
    for reset in resets:
        before, after = json_of(reset["before"]), json_of(reset["after"])
        start, end = before[name], after[name]
        if name in after.get("recreated", ()):
            earlier, windows, start = [*earlier, *windows], [], 0
        windows = [{**w, "to": min(w["to"], end)} for w in windows if w["from"] < end] if end < start else windows
        if end > start:
            times = after.get("lost", {}).get(name, {})
            windows.append(_window(start, end, reset["finished_at"], reset["actor"], times))
    if created_again:
        earlier, windows = [*earlier, *windows], []
    elif position is not None and position < earliest:
        windows.append(_window(position, earliest, None, None, {}))
    gone = [{**window, "in_kafka": False, "created_again": True} for window in earlier]
    return gone + [{**w, "in_kafka": w["to"] > earliest, "created_again": False} for w in windows]


def _window(start: int, end: int, at: Any, by: str | None, times: Mapping[str, Any]) -> Row:
    known = {each: times.get(each) for each in ("position_moved_at", "first_left_at")}
    return {"from": start, "to": end, "at": at, "by": by, **known}
