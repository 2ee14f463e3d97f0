"""Runs a replay as an operation: a new one, or one that is resumed."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from neon_projector.consumer.admin.operations.live import Live
from neon_projector.consumer.admin.operations.operation import Operation
from neon_projector.consumer.admin.operations.pace import Pace
from neon_projector.consumer.admin.operations.rights import require_same_group
from neon_projector.consumer.admin.operations.running import running
from neon_projector.consumer.admin.replay.plan import Range, name_of
from neon_projector.consumer.admin.replay.replay import Replay
from neon_projector.consumer.offsets.service_settings import as_the_service
from neon_projector.consumer.settings import Settings
from neon_projector.projections.contract.projection import Registry

COMMAND = "replay"

Watching = Callable[[Operation], tuple[Callable[[int], None], Callable[[str], None]]]
"""Made when the operation is known: takes what is done, and words to tell."""


async def replay(
    engine: AsyncEngine,
    settings: Settings,
    registry: Registry,
    ranges: Sequence[Range],
    asked: dict[str, Any],
    watching: Watching,
) -> Operation:
    """Read `ranges` again; `asked` is what the operator gave (`keys`, `max_rate`, …). Returns it with its result."""
    own = [one for one in ranges if one.offsets]
    lost = {name_of(one.partition): [[one.gone, one.start]] for one in ranges if one.gone < one.start}
    frozen = {"group_id": settings.kafka_group_id, **asked}
    bounds = {name_of(one.partition): [one.start, one.end] for one in own}
    total = sum(one.offsets for one in own)
    async with running(engine, COMMAND, filter=frozen, ranges=bounds, total=total) as operation:
        if lost:
            await operation.report(position={"lost": lost})
        await _run(engine, settings, registry, operation, watching)
    return operation


async def resume(
    engine: AsyncEngine, settings: Settings, registry: Registry, number: int, watching: Watching
) -> Operation:
    """Go on with it; Refused where it is of another group."""
    await require_same_group(engine, settings.kafka_group_id, number)
    async with running(engine, COMMAND, resume=number) as operation:
        await _run(engine, settings, registry, operation, watching)
    return operation


async def _run(
    engine: AsyncEngine, settings: Settings, registry: Registry, operation: Operation, watching: Watching
) -> None:
    progress, tell = watching(operation)
    settings = await as_the_service(engine, settings)
    async with Live(engine, settings) as live:
        pace = Pace(operation.filter.get("max_rate"), live.behind)
        await Replay(engine, settings, registry, operation, pace, progress, tell).run()
