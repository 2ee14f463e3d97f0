"""A tab that is watched: what it asks for, whom, and what its console says."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Tab:
    """`page` is Playwright's."""

    page: Page
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def polls(self) -> int:
        """How often it has asked for the state."""
        return sum("state.json" in url for url in self.asked)

    @property
    def hosts(self) -> set[str]:
        """Whom it has asked."""
        return {urlsplit(url).netloc for url in self.asked}

    async def says(self, line: str | re.Pattern[str]) -> None:
        """Wait until the verdict has these words in it."""
        await expect(self.page.locator("h1")).to_contain_text(line)

    async def faults(self) -> list[str]:
        """What axe finds, each with the element it is in."""
        found: Any = (await Axe().run(self.page)).response
        return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


@asynccontextmanager
async def opened(browser: Browser, url: str, **options: Any) -> AsyncIterator[Tab]:
    """The page at `url`, in a context of its own; it may write to the clipboard."""
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"], **options)
    try:
        tab = Tab(await context.new_page())
        tab.page.set_default_timeout(PATIENCE_MS)
        tab.page.on("request", lambda request: tab.asked.append(request.url))
        tab.page.on("console", lambda said: tab.errors.append(said.text) if said.type == "error" else None)
        tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
        await tab.page.goto(url)
        yield tab
    finally:
        await context.close()
