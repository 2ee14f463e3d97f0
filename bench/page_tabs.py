"""What open tabs of the page cost: SQL, memory, and the speed of a drain. `python -m bench.page_tabs --minutes 10`."""

import argparse
import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path

from playwright.async_api import Page, async_playwright

from bench.events import Mix
from bench.publish import publish
from tests.support.projector import Projector, eventually, running_projector
from tests.support.servers import execute, kafka_server, migrate_database, postgres_server
from tests.support.world import World

TABS = 10
MIX = Mix(users=30_000, documents=60_000, updates=60_000)
FIRST = "() => performance.getEntriesByName('first figure')[0]?.startTime"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--drains", type=int, default=3)
    asked = parser.parse_args()
    with kafka_server() as kafka, postgres_server() as postgres:
        await idle(await a_world(kafka, postgres, "idle"), asked.minutes)
        for number in range(asked.drains):
            for name, opened in WAYS.items():
                took = await drain(await a_world(kafka, postgres, f"drain_{number}_{name}"), opened)
                print(f"drain {number + 1} with {name}: {MIX.total / took:,.0f} records/s", flush=True)


async def a_world(kafka: str, postgres: str, name: str) -> World:
    """A database and topics of its own."""
    await execute(postgres, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    url = postgres.rsplit("/", 1)[0] + f"/{name}"
    await migrate_database(url)
    world = World.of_its_own(kafka, url)
    await world.create_topics(partitions=4)
    return world


async def idle(world: World, minutes: float) -> None:
    await world.publish_users(100)
    with running_projector(world.settings, afresh=True) as projector:
        await world.until_consumed(100)
        await world.until_quiet(seconds=3)
        before = await world.last_statement_at()
        print(f"no tab:  RSS {rss(projector):.1f} MB", flush=True)
        async with tabs_of(projector, TABS) as tabs:
            print(f"first figure after {[round(await tab.evaluate(FIRST)) for tab in tabs]} ms")
            ends = time.monotonic() + minutes * 60
            while time.monotonic() < ends:
                await asyncio.sleep(min(60, minutes * 60))
                print(f"{TABS} tabs: RSS {rss(projector):.1f} MB", flush=True)
            print(f"SQL statements meanwhile: {'none' if await world.last_statement_at() == before else 'SOME'}")


async def drain(world: World, open_: Callable[[Projector], AbstractAsyncContextManager[object]]) -> float:
    """Seconds from when it may write, with all tabs open, to the last batch."""
    await publish(world.bootstrap, world.topics, MIX.events())
    with running_projector(world.settings, afresh=True) as projector:
        async with AsyncExitStack() as opened:
            async with world.locked("users"):
                await opened.enter_async_context(open_(projector))
                await asyncio.to_thread(eventually, "it reads", lambda: read_ahead(projector), 60)
            started = time.monotonic()
            await asyncio.to_thread(eventually, "drained", lambda: done(projector), 600)
            return time.monotonic() - started


def read_ahead(projector: Projector) -> bool:
    """Whether it has what it will write first."""
    return any(one["lag_seconds"] for one in projector.status().get("partitions", []))


def done(projector: Projector) -> bool:
    time.sleep(0.2)
    return bool(sum(projector.status().get("events", {}).values()) >= MIX.total)


@asynccontextmanager
async def tabs_of(projector: Projector, number: int) -> AsyncIterator[list[Page]]:
    async with AsyncExitStack() as open_until_the_end:
        playwright = await open_until_the_end.enter_async_context(async_playwright())
        program = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        eventually("it answers", lambda: projector.get("/health/live")[0] == 200)
        tabs = [await (await browser.new_context()).new_page() for _ in range(number)]
        for tab in tabs:
            await tab.add_init_script(
                "new MutationObserver((_, seen) => { if (document.querySelector('#word:not(:empty)')?.textContent"
                " !== 'Asking:' && document.querySelector('#word')) { performance.mark('first figure');"
                " seen.disconnect(); } }).observe(document, {subtree: true, childList: true, characterData: true})"
            )
            await tab.goto(f"http://127.0.0.1:{projector.port}/")
            await tab.wait_for_selector("body:not([data-level=unknown])")
        yield tabs


@asynccontextmanager
async def asking(projector: Projector) -> AsyncIterator[None]:
    """What the tabs ask, without the browser, which takes more than the service does."""

    async def ask() -> None:
        while True:
            await asyncio.to_thread(projector.get, "/page/state.json?after=800")
            await asyncio.sleep(1)

    tasks = [asyncio.create_task(ask()) for _ in range(TABS)]
    yield
    for task in tasks:
        task.cancel()


WAYS: dict[str, Callable[[Projector], AbstractAsyncContextManager[object]]] = {
    "nobody": lambda _: nullcontext(),
    "requests": asking,
    "tabs": lambda projector: tabs_of(projector, TABS),
}


def rss(projector: Projector) -> float:
    """What the service has in memory, in MB."""
    lines = Path(f"/proc/{projector.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    asyncio.run(main())
