"""The HTTP sidecar: health, metrics, status; in a thread of its own, so it answers while the consumer works hard."""

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from neon_projector.consumer.errors import ProjectorError, WrongSettings
from neon_projector.consumer.settings import Settings
from neon_projector.consumer.telemetry.backlog import PARKED
from neon_projector.consumer.telemetry.connections import BACKLOG, SWEEP_SECONDS, Connection, sweep
from neon_projector.consumer.telemetry.exposition import exposition
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.page.prefix import HeadAsGet, WithoutPrefix
from neon_projector.consumer.telemetry.page.routes import Page
from neon_projector.consumer.telemetry.state import CHECKS, ServiceState
from neon_projector.consumer.version import revision, version

log = logging.getLogger(__name__)

PING_TIMEOUT_SECONDS = 5.0
LONG_BYTES = 10_000
"""What is longer is sent compressed to those who take that: of many partitions it is 10 times as much."""

Ping = Callable[[], Awaitable[None]]
"""Asks the database something; raises where it does not answer."""


def create_app(state: ServiceState, metrics: Metrics, settings: Settings, ping: Ping, page: Page) -> FastAPI:
    """The sidecar's paths. Only `/health/db` asks the database."""
    app = FastAPI(title="Neon Projector", version=version(), docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health/live")
    async def live() -> JSONResponse:
        return _health(state.live_checks())

    @app.get("/health/ready")
    async def ready() -> JSONResponse:
        return _health(state.ready_checks(settings.ready_max_lag_seconds))

    @app.get("/health/db")
    async def database() -> JSONResponse:
        try:
            async with asyncio.timeout(PING_TIMEOUT_SECONDS):
                await ping()
        except TimeoutError:
            failed = {"database": f"no answer within {PING_TIMEOUT_SECONDS:.0f} s"}
        except ProjectorError as error:
            failed = {"database": str(error)}
        else:
            failed = {}
        metrics.db_up.set(0 if failed else 1)
        return _health(failed)

    @app.get("/metrics")
    async def scrape(request: Request) -> Response:
        _as_it_is_now(state, metrics, settings)
        body, kind = exposition(metrics.registry, request.headers.get("accept", ""))
        return Response(body, media_type=kind)

    @app.get("/status")
    async def status() -> JSONResponse:
        return JSONResponse({"version": version(), "revision": revision(), **state.summary()})

    app.include_router(page.router)
    if settings.http_path_prefix:
        own = {route.path for route in (*app.routes, *page.router.routes) if isinstance(route, APIRoute)}
        app.add_middleware(WithoutPrefix, prefix=settings.http_path_prefix, own=own)
    app.add_middleware(HeadAsGet)
    app.add_middleware(GZipMiddleware, minimum_size=LONG_BYTES, compresslevel=1)
    return app


def _as_it_is_now(state: ServiceState, metrics: Metrics, settings: Settings) -> None:
    """Set the gauges that change though nothing happens."""
    failed = state.ready_checks(settings.ready_max_lag_seconds)
    for check in CHECKS:
        metrics.healthy.labels(check).set(check not in failed)
    waits = state.waits
    for label, name in PARKED:
        metrics.oldest_parked.labels(label).set(waits.get(name, 0.0))


def _health(failed: dict[str, str]) -> JSONResponse:
    body = {"status": "unavailable" if failed else "ok", "failed": failed}
    return JSONResponse(body, status_code=503 if failed else 200)


class Sidecar:
    """The sidecar's server: `start`, then `stop`. `each_second` is called in its thread."""

    def __init__(self, app: FastAPI, host: str, port: int, each_second: Callable[[], None]) -> None:
        async def notify() -> None:
            each_second()
            await sweep(self._server.server_state.connections)

        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            backlog=BACKLOG,
            callback_notify=notify,
            timeout_notify=SWEEP_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="sidecar", daemon=True)
        self._socket = self._bind(host, port)
        self.port: int = self._socket.getsockname()[1]

    def start(self) -> None:
        self._thread.start()
        log.info("the sidecar listens", extra={"port": self.port})

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=2)
        self._socket.close()

    def _serve(self) -> None:
        with suppress(SystemExit):
            self._server.run(sockets=[self._socket])

    @staticmethod
    def _bind(host: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            raise WrongSettings(f"HTTP_HOST, HTTP_PORT: {host}:{port}: {error.strerror}") from None
        except TypeError:  # letters of no name, or too many of them
            listener.close()
            raise WrongSettings("HTTP_HOST: is no host name or address") from None
        return listener


def on_loop(loop: asyncio.AbstractEventLoop, ping: Ping) -> Ping:
    """`ping`, callable from the sidecar's thread: it runs on the service's own loop, with its own pool.

    One at a time, so that however many ask, it takes one connection.
    """
    turn = asyncio.Lock()

    async def alone() -> None:
        async with turn:
            await ping()

    async def ask() -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(alone(), loop))

    return ask
