"""Eight tabs of one browser, which opens six connections to a host: all of them stream, and a note is still saved."""

import asyncio
import re
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, BrowserContext, Request, expect

from standalone.system import running
from tests.conftest import DEMO
from tests.e2e.person import Person, new_username, open_window

TABS = 8
STREAMS = 4
"""Streams that one browser holds open at most."""


@pytest.fixture(scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[str]:
    """A system of its own, whose model takes its time: it still writes while the tabs are opened."""
    slow = DEMO | {"INKSTREAM_DEMO_TOKEN_DELAY_MS": "45"}
    async with running(data_dir=tmp_path_factory.mktemp("slow"), environment=slow) as system:
        yield system.url


@pytest.fixture
async def context(browser: Browser) -> AsyncGenerator[BrowserContext]:
    opened = await browser.new_context()
    yield opened
    await opened.close()


async def test_one_answer_streams_in_all_tabs_over_one_connection(context: BrowserContext, url: str) -> None:
    streams = _Streams(context)
    first = await open_window(context, url, new_username(), "Create account")
    await first.send("Tell a long story")
    await expect(first.page).to_have_url(re.compile("chat="))
    tabs = [await _tab(context, first.page.url) for _ in range(TABS - 1)]
    last = tabs[-1]
    await _save_a_note(last)
    await expect(last.page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    await first.page.close()  # it was the one that read the stream; another goes on
    await asyncio.gather(*(tab.answered() for tab in tabs))
    stories = [await tab.conversation.inner_text() for tab in tabs]
    assert len(set(stories)) == 1
    assert len(stories[0]) > 500
    assert len(streams.begun) == 2


async def test_eight_answers_stream_at_once_and_a_note_is_saved(context: BrowserContext, url: str) -> None:
    streams = _Streams(context)
    first = await open_window(context, url, new_username(), "Create account")
    tabs = [first, *[await _tab(context, url) for _ in range(TABS - 1)]]
    for tab in tabs:
        await tab.send("Tell a long story")
    await _save_a_note(tabs[-1])
    for tab in tabs:
        await expect(tab.page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        await expect(tab.conversation).to_contain_text(re.compile(r"(\w+\W+){30}"))
    await asyncio.gather(*(tab.answered() for tab in tabs))
    for tab in tabs:
        assert len(await tab.conversation.inner_text()) > 500
    assert streams.most <= STREAMS + 1  # the end of one is told a little later than the beginning of the next


class _Streams:
    """The streams of runs that the browser opened, and how many it had open at most."""

    def __init__(self, context: BrowserContext) -> None:
        self.begun: list[Request] = []
        self.ended: set[Request] = set()
        self.most = 0
        context.on("request", self._begin)
        context.on("requestfinished", self._end)
        context.on("requestfailed", self._end)

    def _end(self, request: Request) -> None:
        self.ended.add(request)

    def _begin(self, request: Request) -> None:
        if _is_stream(request.url):
            self.begun.append(request)
            self.most = max(self.most, len(set(self.begun) - self.ended))


def _is_stream(url: str) -> bool:
    return "/api/runs/" in url and url.endswith("/events")


async def _tab(context: BrowserContext, url: str) -> Person:
    tab = Person(await context.new_page())
    await tab.page.goto(url)
    await expect(tab.notes).to_be_visible()
    return tab


async def _save_a_note(tab: Person) -> None:
    """Within seconds, whatever streams meanwhile."""
    await tab.page.get_by_role("button", name="New note", exact=True).click()
    await tab.page.get_by_role("textbox", name="Title").fill("Written meanwhile")
    await tab.page.keyboard.press("Control+s")
    await expect(tab.page.get_by_text("Saved", exact=True)).to_be_visible(timeout=15_000)
