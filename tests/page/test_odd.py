"""What the page meets in the world: several instances at one address, an upgrade, proxies, long names, many parts."""

import re
from itertools import cycle
from typing import Any

import pytest
from aiokafka import TopicPartition
from playwright.async_api import Browser, Route, expect

from neon_projector.consumer.kafka.client import Member
from neon_projector.consumer.telemetry.state import ServiceState
from neon_projector.consumer.version import version
from tests.page.watched import opened
from tests.support.page_states import SETTINGS, a_page
from tests.support.served_page import sidecar

pytestmark = pytest.mark.asyncio(loop_scope="session")

WELL = "All caught up: 15 ms behind"
LONG = "u" * 249
ODD_GROUP = "\u202e<script>alert(1)</script>" + "g" * 200
VERSION = f'"version":"{version()}"'.encode()
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}


def of_many(state: ServiceState) -> None:
    """Of a topic with the longest name that Kafka takes, and of 200 members."""
    own = [TopicPartition(LONG, n) for n in range(8)]
    state.positions = {p: 10**15 + p.partition for p in own}
    state.lag, state.lag_seconds = dict.fromkeys(own, 0), dict.fromkeys(own, 0.0)
    others = (Member(f"member-{n}", f"10.0.0.{n}", False, frozenset()) for n in range(199))
    state.members = (Member("this", "10.0.1.1", True, frozenset(own)), *others)


async def test_long_names_and_many_members_break_nothing(browser: Browser) -> None:
    settings = SETTINGS.model_copy(update={"kafka_group_id": ODD_GROUP})
    with sidecar("idle", settings, of_many) as url:
        async with opened(browser, url, **PHONE) as tab:
            await tab.says(WELL)
            await expect(tab.page.locator("#group")).to_have_text(ODD_GROUP)
            assert await tab.page.evaluate("document.documentElement.scrollWidth") <= 390
            assert await tab.page.evaluate("document.documentElement.scrollHeight") < 4_000
            of = "document.querySelector('{}').getBoundingClientRect().{}"
            assert await tab.page.evaluate(of.format("#topics td", "right")) < 390
            assert await tab.page.evaluate(of.format("#when", "right")) <= 390
            assert await tab.faults() == []
            assert tab.errors == []


async def test_several_instances_behind_one_address_are_said_to_be_that(browser: Browser) -> None:
    with sidecar("idle") as one, sidecar("idle", change=lambda state: setattr(state, "started_at", 1e9)) as other:
        async with opened(browser, one) as tab:
            turns = iter(range(10_000))

            async def by_turns(route: Route) -> None:
                asked = route.request.url
                await route.continue_(url=asked if next(turns) % 2 else asked.replace(one, other))

            await tab.page.route("**/state.json*", by_turns)
            await expect(tab.page.locator("#when")).to_contain_text("several instances answer here by turns")
            await tab.says(WELL)
            polls = tab.polls
            assert polls < 60, "it asks once a second, whoever answers"
            await expect(tab.page.locator("#lag .line")).to_have_attribute("d", re.compile(r"^M.*L"))


async def test_after_an_upgrade_it_loads_the_files_of_the_new_version(browser: Browser) -> None:
    _, _, other = a_page("idle")
    with sidecar("idle") as url:
        async with opened(browser, url) as tab:
            await tab.says(WELL)

            async def upgraded(route: Route) -> None:
                body = bytes((await other.state()).body)
                await route.fulfill(body=body.replace(VERSION, b'"version":"99.0"'), content_type="application/json")

            await tab.page.route("**/state.json*", upgraded)
            loaded = sum("page.js" in asked for asked in tab.asked)
            await expect(tab.page.locator("#about")).to_contain_text("99.0")
            assert sum("page.js" in asked for asked in tab.asked) == loaded, "not again and again"
            async with tab.page.expect_event("load"):
                await tab.page.evaluate("{ const now = performance.now(); performance.now = () => now + 61_000; }")


NO_ANSWERS: tuple[dict[str, Any], ...] = (
    {"body": "<html>Sign in</html>", "content_type": "text/html"},
    {"status": 502, "body": "<html>Bad gateway</html>"},
    {"json": {"error": "none of ours"}},
    {"json": {"next": 1, "curves": {}, "view": {"about": {"started_at": 1}}}},
)


async def test_what_is_no_answer_of_ours_is_no_answer(browser: Browser) -> None:
    with sidecar("idle") as url:
        async with opened(browser, url) as tab:
            await tab.says(WELL)
            others = cycle(NO_ANSWERS)
            await tab.page.route("**/state.json*", lambda route: route.fulfill(**next(others)))
            await tab.says(re.compile(r"No answer: for ([5-9]|\d\d) s: all below is old"))
            await expect(tab.page.locator("body")).to_have_class("silent")
            await tab.page.unroute("**/state.json*")
            await tab.says(WELL)
