"""Which partitions of the answer of `status_of` are in trouble, and how the others of each topic stand together."""

from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]

BEHIND_SECONDS = 60.0
"""A partition whose oldest record waits longer is behind."""


def unread(status: Row) -> list[Row]:
    """Those that no instance reads, while there are instances and the group has divided its partitions."""
    group = status["group"]
    if not group["members"] or group["state"] != "Stable" or not group["says_who_reads"]:
        return []
    return [row for row in status["partitions"] if row["member"] is None]


def late(status: Row) -> list[Row]:
    """Those whose oldest record has waited too long."""
    return [row for row in status["partitions"] if (row["lag_seconds"] or 0) > BEHIND_SECONDS]


def held_back(status: Row) -> list[Row]:
    """Those where a publisher's open transaction holds records back for too long."""
    return [row for row in status["partitions"] if (row["open_transaction_seconds"] or 0) > BEHIND_SECONDS]


def troubled(status: Row) -> list[Row]:
    """Those that are stopped, not read, late, or held back: stopped ones first, then the latest ones."""
    stopped = [row for row in status["partitions"] if row["stopped"]]
    later = sorted(late(status), key=lambda row: -row["lag_seconds"])
    named = {(row["topic"], row["partition"]): row for row in (*stopped, *unread(status), *later, *held_back(status))}
    return list(named.values())


def by_topic(rows: Iterable[Row]) -> list[Row]:
    """A row for each topic: `topic`, how many `partitions`, by how many records they are `behind` in all, the age of
    the `oldest` in seconds (None: unknown), and how many are `stopped`."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["topic"], []).append(row)
    return [
        {
            "topic": topic,
            "partitions": len(own),
            "behind": sum(row["lag"] or 0 for row in own),
            "oldest": max((row["lag_seconds"] for row in own if row["lag_seconds"] is not None), default=None),
            "stopped": sum(row["stopped"] is not None for row in own),
        }
        for topic, own in found.items()
    ]
