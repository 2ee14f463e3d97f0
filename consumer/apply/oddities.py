"""What is read and odd, though nobody rejects it: unknown types, misnamed fields. Counted where positions move.

Names are the publishers' own, so they are kept as a log may show them (`said_name`). A topic may carry events for
others, of any number of types: each partition keeps at most `NAMES` names, and counts all the rest together.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from neon_projector.consumer.apply.rejection_log import said_name, said_source
from neon_projector.consumer.settings import NOT_A_GROUP
from neon_projector.models import CONTROL_SCHEMA
from neon_projector.projections.contract.event import Ignored, MisnamedEvent
from neon_projector.projections.contract.similar import similar_type

UNKNOWN_TYPE, MISNAMED_FIELD = "unknown_type", "misnamed_field"
"""The values of `kind`: an event whose type the contract does not have; a field under a name that is not quite its own.
"""
NAMES = 50
OTHERS = "(others)"

_COLUMNS = {"topic": "text", "partition": "integer", "kind": "text", "name": "text", "resembles": "text",
            "source": "text", "number": "bigint", "last_offset": "bigint"}  # fmt: skip
_KEY = "group_id, topic, partition, kind, name"
_COUNT = text(f"""
    WITH odd AS (SELECT CAST(:group_id AS text) AS group_id, v.*
            FROM unnest({", ".join(f"CAST(:{n} AS {t}[])" for n, t in _COLUMNS.items())}) AS v({", ".join(_COLUMNS)})),
        named AS (SELECT odd.*, EXISTS (SELECT FROM {CONTROL_SCHEMA}.oddities WHERE ({_KEY}) = (odd.group_id, odd.topic,
                odd.partition, odd.kind, odd.name)) OR (SELECT count(*) FROM {CONTROL_SCHEMA}.oddities o
                WHERE (o.group_id, o.topic, o.partition) = (odd.group_id, odd.topic, odd.partition)) < {NAMES} AS fits
            FROM odd)
    INSERT INTO {CONTROL_SCHEMA}.oddities AS o ({_KEY}, resembles, source, number, last_offset)
    SELECT group_id, topic, partition, kind, CASE WHEN fits THEN name ELSE '{OTHERS}' END,
        max(CASE WHEN fits THEN resembles END), max(source), sum(number), max(last_offset)
    FROM named GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT ({_KEY}) DO UPDATE SET number = o.number + excluded.number, source = excluded.source,
        resembles = excluded.resembles, last_offset = excluded.last_offset, last_at = now()""")


class Oddity(NamedTuple):
    """One kind of odd thing in a batch's records of one partition."""

    topic: str
    partition: int
    kind: str
    name: str
    """The type, as a log may show it."""
    resembles: str | None
    """The name of the contract that it resembles."""
    source: str
    """Of the last such event, as a log may show it."""
    number: int
    last_offset: int


def oddities(decoded: Iterable[Ignored | MisnamedEvent], known_types: Iterable[str]) -> list[Oddity]:
    """What is odd in these records, each kind once for each partition, with at most `NAMES` names."""
    found: dict[tuple[str, int, str, str], Oddity] = {}
    types = list(known_types)
    for one in decoded:
        record, source = one.record, said_source(one.source)
        for kind, name, meant in _of(one, types):
            key, means = (record.topic, record.partition, kind, name), meant
            if key not in found and len(found) >= NAMES:
                key, means = (record.topic, record.partition, kind, OTHERS), None
            before = found[key].number if key in found else 0
            found[key] = Oddity(*key, means, source, before + 1, record.offset)
    return list(found.values())


def _of(one: Ignored | MisnamedEvent, types: list[str]) -> list[tuple[str, str, str | None]]:
    """Kind, name, and what is probably meant."""
    if isinstance(one, MisnamedEvent):
        return [(MISNAMED_FIELD, f"{one.type}: {name}", field) for field, name in one.misnamed.items()]
    return [] if one.type is None else [(UNKNOWN_TYPE, said_name(one.type), _meant(one.type, tuple(types)))]


_meant = lru_cache(maxsize=1_000)(similar_type)


async def count(connection: AsyncConnection, group_id: str, found: list[Oddity]) -> None:
    """Add these to what is stored. No other transaction writes the same rows: none has these partitions.

    A replay counts nothing: it reads what was counted.
    """
    if found and not group_id.startswith(NOT_A_GROUP):
        values = {name: [getattr(one, name) for one in found] for name in _COLUMNS}
        await connection.execute(_COUNT, {"group_id": group_id, **values})
