"""The page of a running service: what it shows follows what happens, and it costs the database nothing."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.page.watched import Tab, opened
from tests.support.projector import command, eventually, running_projector
from tests.support.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

HIDE = "hidden => { Object.defineProperty(document, 'hidden', {get: () => hidden, configurable: true});" \
    " document.dispatchEvent(new Event('visibilitychange')); }"  # fmt: skip


async def test_it_follows_what_happens_and_an_open_page_sends_no_sql(browser: Browser, world: World) -> None:
    await world.create_topics(partitions=2)
    await world.publish_users(5)
    await world.publish_raw("users", b"not json")
    with running_projector(world.settings) as projector:
        await world.until_consumed(6)
        await world.until_quiet(seconds=2)  # the last count of what waits follows the last commit
        async with opened(browser, f"http://127.0.0.1:{projector.port}/") as tab:
            await tab.says("All caught up: ")
            await it_shows_what_is_there(tab.page, world)
            await no_sql_while_it_asks(tab, world)
            await a_hidden_tab_asks_nothing(tab)
            async with world.locked("users"):
                await world.publish_users(50)
                await tab.says("Catching up: 50 records to go")
            await tab.says("All caught up: ")
            assert command("pause", settings=world.settings).returncode == 0
            await world.publish_users(1)  # an instance without records asks nobody, and finds out by the next one
            await tab.says("Stopped: intake of all topics paused")
            await expect(tab.page.locator("#findings code").first).to_have_text("projector resume")
            assert command("resume", settings=world.settings).returncode == 0
            await tab.says("All caught up: ")
            assert tab.errors == []
            projector.kill()
            await tab.says(re.compile(r"No answer: for ([4-9]|\d\d) s: all below is old"))
            await expect(tab.page.locator("body")).to_have_class("silent")
            assert await tab.faults() == []


async def it_shows_what_is_there(page: Page, world: World) -> None:
    """Positions, a dead letter by its reason, the group's one member."""
    await expect(page.locator("#letters tr")).to_have_text("invalid json1")
    await expect(page.locator("#members tr")).to_have_text("this instance4 partitions")
    await expect(page.locator("#topics caption")).to_have_text([world.documents, world.users])
    positions = [int(text) for text in await page.locator("#topics tbody td:nth-child(2)").all_inner_texts()]
    assert sum(positions) == 6


async def no_sql_while_it_asks(tab: Tab, world: World) -> None:
    before, polls = await world.last_statement_at(), tab.polls
    async with asyncio.timeout(60):
        while tab.polls < polls + 4:
            await asyncio.sleep(0.1)
    assert await world.last_statement_at() == before


async def a_hidden_tab_asks_nothing(tab: Tab) -> None:
    await tab.page.evaluate(HIDE, True)
    await asyncio.sleep(1)  # the question that is under way
    polls = tab.polls
    await asyncio.sleep(2.5)  # the promise is about time in which nothing happens
    assert tab.polls == polls
    await tab.page.evaluate(HIDE, False)
    await asyncio.to_thread(eventually, "it asks again", lambda: tab.polls > polls)
    await tab.says("All caught up: ")
