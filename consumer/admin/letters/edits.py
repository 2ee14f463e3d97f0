"""Records that somebody has mended by hand (`dead-letters retry --edit`): received like those of the topics.

Each stands in the place of the record that came: the one in Kafka is left out, as it changed nothing. What is kept of
it is masked; what could not be decoded again is left out.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.letters.originals import KeptRecord
from neon_projector.consumer.admin.letters.redrive import COMMAND
from neon_projector.consumer.admin.operations.operation import OPERATIONS
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.stored_json import json_of
from neon_projector.projections.contract.mask import mask, stands
from neon_projector.projections.contract.record import Record

TOPIC = "projector.operations"
"""Where such a record is, as if it were a topic of one partition; its offset is the operation's id."""
_LOAD = text(f"""
    SELECT id, after, CAST(extract(epoch FROM started_at) * 1000 AS bigint) AS at FROM {OPERATIONS}
    WHERE command = '{COMMAND}' AND after ? 'value' AND after ? 'record' ORDER BY id""")

Place = tuple[str, int, int]
"""Topic, partition and offset."""


class Edit(NamedTuple):
    """`record` was applied in the place of the record that Kafka had at `place`, by this operation."""

    place: Place
    record: Record

    @property
    def operation(self) -> int:
        return self.record.offset


async def edits(engine: AsyncEngine) -> list[Edit]:
    """All that were applied and not forgotten, in their order."""
    with translated():
        async with engine.connect() as connection:
            return [_edit(row.id, row.at, json_of(row.after)) for row in await connection.execute(_LOAD)]


def kept(record: Record, secrets: tuple[str, ...]) -> dict[str, Any]:
    """For the operation: where the record is, and what of it decides how its value is read."""
    headers = [
        [name, mask(value or b"", secrets).decode("utf-8", "backslashreplace")]
        for name, value in record.headers
        if name.lower().startswith(("ce_", "content-type")) and not stands(name, secrets)
    ]
    key = None if record.key is None else mask(record.key, secrets).decode("utf-8", "backslashreplace")
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    return place | {"key": key, "headers": headers}


def _edit(operation: int, at: int, after: Mapping[str, Any]) -> Edit:
    told = after["record"]
    headers = tuple((name, value.encode()) for name, value in told["headers"])
    key = None if told["key"] is None else told["key"].encode()
    record = KeptRecord(TOPIC, 0, operation, key, after["value"].encode(), headers, at)
    return Edit((told["topic"], told["partition"], told["offset"]), record)
