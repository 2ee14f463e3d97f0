"""One browser for all tests of the page: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """RuntimeError where no Chromium is installed."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise RuntimeError("no chromium: the tests of the page need it (apt-get install chromium)")
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=120_000)
