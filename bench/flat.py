"""The mix as a sink of flat rows needs it: the columns of each event, without an envelope; and their schemas."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from bench.events import Published

UUID_TYPE = {"type": "string", "name": "io.debezium.data.Uuid"}
TIME_TYPE = {"type": "string", "name": "io.debezium.time.ZonedTimestamp"}
COLUMNS: dict[str, dict[str, dict[str, Any]]] = {
    "users": {"email": {"type": "string"}, "name": {"type": "string"}, "is_active": {"type": "boolean"}},
    "documents": {"title": {"type": "string"}, "content": {"type": "string"}, "user_id": UUID_TYPE},
}
"""By table, what both do not have."""


def flat(events: Iterable[Published]) -> Iterator[Published]:
    """The same events in the same order; only complete ones can be flat."""
    for topic, key, value in events:
        yield topic, key, orjson.dumps(orjson.loads(value)["data"])


def schema(table: str) -> dict[str, Any]:
    """What Kafka's JsonConverter takes as `schema.content`."""
    columns = {"id": UUID_TYPE, **COLUMNS[table], "created_at": TIME_TYPE, "updated_at": TIME_TYPE}
    fields = [{"field": name, "optional": False, **type_} for name, type_ in columns.items()]
    return {"type": "struct", "fields": [*fields, {"field": "version", "optional": False, "type": "int64"}]}
