"""Runs service and sidecar together, until a signal."""

import asyncio
import gc
import logging
import os
import signal
import sys

from sqlalchemy import text

from neon_projector.consumer.recovery.translate import translated
from neon_projector.consumer.service import Service
from neon_projector.consumer.settings import Settings
from neon_projector.consumer.telemetry.page.routes import Page
from neon_projector.consumer.telemetry.sidecar import Sidecar, create_app, on_loop
from neon_projector.consumer.telemetry.tracing.switch import tracing_of
from neon_projector.consumer.version import revision, version
from neon_projector.models.connection import bind_arrays_quickly
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY

log = logging.getLogger(__name__)

YOUNG_OBJECTS = 200_000
"""Collect cycles only after so many new objects: a batch is tens of thousands, none of them in a cycle."""
SWITCH_SECONDS = 0.001
"""How long the sidecar's thread waits at most for a busy loop, each time it needs the interpreter."""


def tune_interpreter() -> None:
    """Fit collector, threads and driver to batches. Their own defaults cost a tenth of a drain, and long pauses."""
    bind_arrays_quickly()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 5, 10)
    sys.setswitchinterval(SWITCH_SECONDS)


async def run(settings: Settings, registry: Registry = REGISTRY) -> signal.Signals | None:
    """Serve until SIGTERM or SIGINT, and return it; the batch in hand is finished or rolled back, the group left."""
    tune_interpreter()
    got: list[signal.Signals] = []
    tracing = tracing_of(os.environ, settings.kafka_group_id)
    service = Service(settings, registry, tracing)
    loop = asyncio.get_running_loop()

    async def ping() -> None:
        with translated():
            async with service.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        service.observer.backlog.recount()

    page = Page(service.state, service.metrics, settings)
    app = create_app(service.state, service.metrics, settings, on_loop(loop, ping), page)
    sidecar = Sidecar(app, settings.http_host, settings.http_port, page.sample)
    sidecar.start()

    def stop(number: signal.Signals) -> None:
        got.append(number)
        service.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    log.info("starting", extra={"version": version(), "revision": revision(), "group_id": settings.kafka_group_id})
    try:
        await service.run()
    finally:
        sidecar.stop()
        tracing.stop()
    log.info("stopped", extra={"events": dict(service.state.totals)})
    return got[0] if got else None
