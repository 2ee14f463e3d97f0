"""Each state that the page can show, in a real browser: the sidecar's own app, of an instance that knows this."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.page.watched import opened
from tests.support.page_states import SETTINGS, STATES
from tests.support.served_page import sidecar

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAYS = {
    "idle": "All caught up: 15 ms behind, 4 waiting",
    "draining": "Catching up: ",
    "paused": "Stopped: intake of all topics paused",
    "database_away": "Stopped: nothing can be written",
    "partition_stopped": "Stopped: users:3 is not read",
    "nothing_yet": "Joining: this instance joins the group",
}
COMMAND = "projector offsets reset --topic users:3 --to-earliest"
LOOKS = (
    {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"},
)


@pytest.mark.parametrize("name", STATES)
async def test_it_says_what_is_so_and_anybody_can_read_it(browser: Browser, name: str) -> None:
    with sidecar(name) as url:
        for look in LOOKS:
            async with opened(browser, url, **look) as tab:
                await tab.says(SAYS[name])
                await expect(tab.page.locator("#checks li")).to_have_count(8)
                assert await tab.faults() == []
                width = look["viewport"]["width"]  # type: ignore[index]  # of the second level
                assert await tab.page.evaluate("document.documentElement.scrollWidth") <= width
                assert tab.hosts == {url.removeprefix("http://")}
                assert sum(asked.endswith("after=0") for asked in tab.asked) == 1  # what is loaded ahead is used
                assert tab.errors == []


async def test_a_keyboard_reaches_all_and_enter_copies_a_command(browser: Browser) -> None:
    with sidecar("partition_stopped") as url:
        async with opened(browser, url) as tab:
            await tab.says(SAYS["partition_stopped"])
            reached = []
            for _ in range(8):
                await tab.page.keyboard.press("Tab")
                words = await tab.page.evaluate(
                    "document.activeElement.getAttribute('class') || document.activeElement.tagName"
                )
                reached.append(words.lower())
                if reached == ["copy"]:
                    await tab.page.keyboard.press("Enter")
                    await expect(tab.page.locator("#told")).to_have_text(f"copied: {COMMAND}")
            assert reached == ["copy", "a", "copy", "a", "svg", "svg", "svg", "scroll"]
            assert await tab.page.evaluate("navigator.clipboard.readText()") == COMMAND


async def test_a_curve_tells_the_figures_of_the_time_that_is_pointed_at(browser: Browser) -> None:
    with sidecar("draining") as url:
        async with opened(browser, url) as tab:
            await tab.says(SAYS["draining"])
            curve, of = tab.page.locator("#lag svg"), tab.page.locator("#lag .of")
            await expect(of).to_have_text("not applied yet, now")
            await curve.hover(position={"x": 100, "y": 60})
            await expect(of).to_contain_text(re.compile(r"^1[0-4] min ago, at "))
            await expect(tab.page.locator("#lag dd").first).to_have_text(re.compile(r"^\d{1,4}$"))
            await tab.page.mouse.move(1, 1)
            await curve.focus()
            for _ in range(4):
                await tab.page.keyboard.press("ArrowLeft")
            await expect(curve).to_have_attribute(
                "aria-label", re.compile(r"^Lag, (\d\d s|\d min) ago: records [1-9][\d,]+,")
            )


async def test_a_finding_leads_to_its_section_of_the_runbook(browser: Browser) -> None:
    with sidecar("paused") as url:
        async with opened(browser, url) as tab:
            await tab.page.get_by_role("link", name="Runbook").first.click()
            await expect(tab.page.locator("h3:target")).to_have_text("IntakeStopped")
            assert await tab.faults() == []
            assert tab.errors == []
            assert tab.hosts == {url.removeprefix("http://")}


@pytest.mark.parametrize("path", ["/", "/team/projector/"])
async def test_it_works_below_the_prefix_of_a_proxy_and_without(browser: Browser, path: str) -> None:
    settings = SETTINGS.model_copy(update={"http_path_prefix": "/team/projector"})
    with sidecar("idle", settings) as url:
        async with opened(browser, url + path) as tab:
            await tab.says(SAYS["idle"])
            assert tab.errors == []
            answer = await tab.page.request.get(f"{url}{path}page/page.js")
            assert answer.headers["content-security-policy"].startswith("default-src 'self';")
            assert (answer.headers["x-content-type-options"], answer.headers["referrer-policy"]) == (
                "nosniff", "no-referrer",
            )  # fmt: skip
            assert (await tab.page.request.get(f"{url}{path}page/other.js")).status == 404
            assert (await tab.page.request.get(f"{url}{path}health/live")).status == 200
