"""Has the database compare what it has with what the topics say."""

from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from neon_projector.consumer.admin.verify.report import Difference, Report
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.stored_json import json_of
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.sql.verify import ahead, differences, tables
from neon_projector.projections.sql.verify.compare import Comparison
from neon_projector.projections.sql.verify.tables import Scope, Side

OPEN = ("contested", "refused", "erased", "discarded", "disputed")
_MEMORY = text("SELECT set_config('work_mem', '32MB', true)")
"""For the joins, each of which may take twice as much of the server's memory."""


async def compare(
    connection: AsyncConnection, registry: Registry, side: Side, scope: Scope, report: Report, *, again: bool = False
) -> None:
    """Within a transaction: write down what differs, and fill the report in. `again`: what is ahead is noted."""
    await connection.execute(_MEMORY)
    first = [] if again else ahead.begin(registry, side, scope)
    for statement in (*tables.analyze(registry, side, scope), *tables.drop_places(registry, side), *first):
        await connection.execute(text(statement))
    whole, of = not report.unprovable, {"operation": report.operation}
    await connection.execute(differences.FORGET, of)
    report.open = dict.fromkeys(OPEN, 0)
    for projection in registry:
        for statement in Comparison(registry, projection, side, scope, whole).statements():
            await connection.execute(text(statement))
        if not scope.has(projection):
            continue
        for found in differences.find(projection, side, whole):
            await connection.execute(found, of)
        counts = (await connection.execute(differences.counts(projection, side))).mappings().one()
        report.rows[str(projection.table.name)] = counts["rows"]
        report.waiting += counts["waiting"]
        report.open = {reason: number + counts[reason] for reason, number in report.open.items()}
    report.kinds = {row.kind: row.number for row in await connection.execute(differences.BY_KIND, of)}


async def listed(engine: AsyncEngine, operation_id: int, most: int) -> AsyncIterator[Difference]:
    """At most so many of an operation's differences, one after the other."""
    with translated():
        async with engine.connect() as connection:
            values = {"operation": operation_id, "most": most}
            async for row in (await connection.stream(differences.LIST, values)).mappings():
                yield Difference(**{**row, "columns": json_of(row["columns"])})
