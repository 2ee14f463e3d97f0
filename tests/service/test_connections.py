"""Whoever opens connections to the sidecar, and however: the service has its descriptors, and probes are answered."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import pytest

from tests.support.projector import Projector, eventually, running_projector
from tests.support.world import World

FEW, MANY = 256, 1_500
"""Descriptors that the service has, connections that are opened to it."""
CLOSED_SECONDS = 12.0


async def test_the_service_goes_on_and_answers_whoever_holds_connections_open(world: World) -> None:
    await world.create_topics()
    with descriptors(4 * MANY), ExitStack() as running:
        with descriptors(FEW):
            projector = running.enter_context(running_projector(world.settings))
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        async with connections(projector, MANY) as opened:
            await world.rows(  # it needs new ones, now
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await world.publish_users(50)
            await world.until_consumed(50, seconds=10)
            started = time.monotonic()
            status, _ = await asyncio.to_thread(projector.get, "/health/ready")
            assert (status, time.monotonic() - started < 1) == (200, True)
            async with asyncio.timeout(CLOSED_SECONDS):
                await asyncio.gather(*(until_closed(reader) for reader, _ in opened))
        assert projector.logged().count("too many connections to the sidecar") == 1
        assert projector.terminate() == 0


async def test_who_sends_or_reads_too_slowly_is_closed_and_who_asks_now_and_then_is_not(world: World) -> None:
    await world.create_topics()
    with running_projector(world.settings) as projector:
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        slow = (drips(projector, b"GET /status HTTP/1.1\r\nx: "), after_an_answer(projector), never_reads(projector))
        asks = asyncio.create_task(asks_now_and_then(projector))
        async with asyncio.timeout(CLOSED_SECONDS + 5):
            await asyncio.gather(*slow, drips(projector, b"POST /status HTTP/1.1\r\ncontent-length: 999\r\n\r\n"))
        assert await asks >= 7
        assert await not_http(projector, 50)
        assert projector.get("/health/live")[0] == 200
        assert projector.logged().count("Invalid HTTP request") == 0


async def drips(projector: Projector, beginning: bytes) -> None:
    """One byte now and then, never a whole request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", projector.port)
    writer.write(beginning)
    closed = asyncio.create_task(until_closed(reader))
    while not closed.done():
        writer.write(b"x")
        await asyncio.wait((closed,), timeout=0.5)
    writer.close()


async def after_an_answer(projector: Projector) -> None:
    """One whole request, then nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", projector.port)
    writer.write(b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    await until_closed(reader)
    writer.close()


async def never_reads(projector: Projector) -> None:
    """Many requests, whose answers are never taken."""
    reader, writer = await asyncio.open_connection("127.0.0.1", projector.port, limit=1024)
    try:
        while True:
            writer.write(b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n" * 200)
            async with asyncio.timeout(CLOSED_SECONDS):
                await writer.drain()
    except ConnectionError:
        return
    except TimeoutError:  # nothing more is taken from us, and nobody has closed it
        pytest.fail("a connection whose answers nobody reads stays open")
    finally:
        writer.close()
        del reader


async def asks_now_and_then(projector: Projector) -> int:
    """How many answers came on one connection within eight seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", projector.port)
    answers = 0
    for _ in range(8):
        writer.write(b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        answers += 1
        await asyncio.sleep(1)
    writer.close()
    return answers


async def not_http(projector: Projector, number: int) -> bool:
    """Whether each of so many that speak something else got an answer."""
    for _ in range(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", projector.port)
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        if not (await reader.read()).startswith(b"HTTP/1.1 400"):
            return False
        writer.close()
    return True


async def until_closed(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass


@asynccontextmanager
async def connections(
    projector: Projector, number: int
) -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    """So many, that send nothing."""
    opened = []
    try:
        for start in range(0, number, 50):
            few = min(50, number - start)
            opened += await asyncio.gather(*(asyncio.open_connection("127.0.0.1", projector.port) for _ in range(few)))
        yield opened
    finally:
        for _, writer in opened:
            writer.close()


@contextmanager
def descriptors(number: int) -> Iterator[None]:
    """Within, this process and those it starts may have so many files open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
