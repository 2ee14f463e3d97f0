"""What a rebuild would heal: a verify, and what it found by entity, table and kind."""

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.rebuild.result import Result
from neon_projector.consumer.admin.rebuild.todo import Choice, entities, groups
from neon_projector.consumer.admin.verify.source import Tell
from neon_projector.consumer.admin.verify.verify import verify
from neon_projector.consumer.admin.verify.wanted import Wanted
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.projection import Registry


async def preview(
    engine: AsyncEngine, settings: Settings, registry: Registry, wanted: Wanted, choice: Choice, tell: Tell
) -> Result:
    """Changes nothing; `operation` is the verify's."""
    report = await verify(engine, settings, registry, wanted, tell)
    with translated():
        async with engine.connect() as connection:
            found = await entities(connection, report.operation, choice)
            by_kind = await groups(connection, report.operation)
    return Result(
        report.operation, by_kind, found.differing, found.chosen, unprovable=report.unprovable, unproved=found.unproved,
        ahead=found.ahead, without_position=report.without_position, by_key=report.by_key,
        partitions=report.partitions,
    )  # fmt: skip
