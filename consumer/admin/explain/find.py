"""Which entities have, want or wait for a value, such as an e-mail address: for who does not know the id."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.all_rows import require_all_rows
from neon_projector.consumer.admin.explain.stored import LETTERS, rows_of
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.models.control.waiting import ABSENT_STATES, DEAD_LETTERS, PARKED_EVENTS
from neon_projector.projections.contract.projection import Projection, Registry

Row = dict[str, Any]

MOST = 20
"""So many of each kind are found: a title may be that of very many."""


async def find(engine: AsyncEngine, settings: Settings, registry: Registry, column: str, value: str) -> Row:
    """`found`: rows of `entity`, `id`, `version` and `stands` (`there`, the reason of a state kept aside, or `parked`);
    where nothing has exactly this value, also what differs in case only. `dead_letters`: new ones whose value has it.
    """
    await require_all_rows(engine, registry)
    found: list[Row] = []
    letters: list[Row] = []
    with translated():
        async with engine.connect() as connection:
            for projection in registry:
                if column not in projection.sought:
                    continue
                for exact in (True, False):
                    for select in _selects(projection, column, exact=exact):
                        values = {"entity": projection.entity, "column": column, "value": value}
                        found += await rows_of(connection, select, **_used(values, select))
                    if found:
                        break
                topic = settings.topics[projection.topic_setting]
                letters += await rows_of(connection, _LETTERS, topic=topic, value=value)
    return {"found": found, "dead_letters": letters}


_LETTERS = f"""
    SELECT {LETTERS} FROM {DEAD_LETTERS}
    WHERE status = 'new' AND topic = :topic AND position(convert_to(CAST(:value AS text), 'UTF8') IN value) > 0
    ORDER BY id LIMIT {MOST}"""


def _selects(projection: Projection, column: str, *, exact: bool) -> list[str]:
    def same(left: str) -> str:
        return f"{left} = CAST(:value AS text)" if exact else f"lower({left}) = lower(CAST(:value AS text))"

    entity = "CAST(:entity AS text)"
    return [
        f"""SELECT {entity} AS entity, id, version, 'there' AS stands FROM {projection.table_name}
        WHERE {same(column)} ORDER BY id LIMIT {MOST}""",
        f"""SELECT entity, id, version, reason AS stands FROM {ABSENT_STATES}
        WHERE entity = {entity} AND {same("state ->> CAST(:column AS text)")} ORDER BY id LIMIT {MOST}""",
        f"""SELECT entity, entity_id AS id, version, 'parked' AS stands FROM {PARKED_EVENTS}
        WHERE entity = {entity} AND {same("data ->> CAST(:column AS text)")} ORDER BY id LIMIT {MOST}""",
    ]


def _used(values: dict[str, Any], select: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in select}
