"""What became of a record of an id, by what the database has of that id."""

from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition

from neon_projector.consumer.admin.kept import WHOLE, Kept
from neon_projector.consumer.admin.letters.edits import TOPIC as EDITED

Row = dict[str, Any]


class Became:
    """Of the records of one story. Of a topic that was created again, up to the positions, nothing is read yet; and
    what was rejected or parked of the one before is none of its records."""

    def __init__(self, story: Row, positions: Mapping[TopicPartition, int], kept: Kept = WHOLE) -> None:
        self._read = kept.known(positions)
        self._parked = kept.places(story["parked"])
        self._letters = {place: one["id"] for one in story["dead_letters"] for place in kept.places([one])}
        self._states = [*story["rows"], *story["aside"]]

    def of(self, row: Row) -> tuple[str, int | None]:
        """`rejected` (with the dead letter's number), `unread`, `parked`, `stored` (in this version of the state or a
        newer one), `missing` (it was read, and the state is older), or `read`, where nothing is kept."""
        place, version = (row["topic"], row["partition"], row["offset"]), row["version"]
        if (letter := self._letters.get(place)) is not None:
            return "rejected", letter
        if row["topic"] != EDITED and row["offset"] >= self._read.get(TopicPartition(*place[:2]), 0):
            return "unread", None
        if place in self._parked:
            return "parked", None
        if version is None:
            return "read", None
        newest = max((one["version"] for one in self._states if one["entity"] == row["entity"]), default=0)
        return "stored" if newest >= version else "missing", None
