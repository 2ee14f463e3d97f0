"""`verify` from its beginning to its end: take a snapshot and read the topics up to its positions, fold, compare.

It is long work (`consumer.admin.operations`): one that was interrupted goes on with what is on disk, if it is resumed
on the same machine, and begins again where that is gone. `work.py` has the steps.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations.operation import OPERATIONS
from neon_projector.consumer.admin.operations.rights import require_same_group
from neon_projector.consumer.admin.operations.running import running
from neon_projector.consumer.admin.verify import directory
from neon_projector.consumer.admin.verify.report import Report
from neon_projector.consumer.admin.verify.source import Tell
from neon_projector.consumer.admin.verify.wanted import Wanted
from neon_projector.consumer.admin.verify.work import Work
from neon_projector.consumer.errors import Cancelled
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.projection import Registry

COMMAND = "verify"
_DEAD = text(f"""
    SELECT id, position ->> 'directory' AS directory FROM {OPERATIONS}
    WHERE command IN ('{COMMAND}', 'rebuild') AND state IN ('completed', 'cancelled', 'failed')
    ORDER BY id DESC LIMIT 20""")


async def verify(
    engine: AsyncEngine, settings: Settings, registry: Registry, wanted: Wanted, tell: Tell, resume: int | None = None
) -> Report:
    """Compare. TransientError where a server does not answer; `resume` goes on with that operation; Refused
    where it is of another group."""
    settings = await as_the_service(engine, settings)
    if resume is not None:
        await require_same_group(engine, settings.kafka_group_id, resume)
    frozen = {**wanted.as_filter(), "group_id": settings.kafka_group_id}
    async with running(engine, COMMAND, filter=frozen, resume=resume) as operation:
        work = Work(engine, settings, registry, operation, tell)
        try:
            report = await work.do()
        except Cancelled:
            work.tidy_up()
            raise
        finally:
            work.close()
        operation.result, operation.outcome = report.as_json(), report.verdict
        work.tidy_up()
    await tidy_up_after_others(engine)
    return report


async def tidy_up_after_others(engine: AsyncEngine) -> None:
    """Remove what others have left on this machine that were cancelled or have failed: their side tables are gone
    too, so they would begin again."""
    with translated():
        async with engine.connect() as connection:
            dead = (await connection.execute(_DEAD)).all()
    for row in dead:
        directory.remove(row.id, row.directory)
