"""Eight tabs of one browser, which opens six connections to a host: all of them stream, and a note is still saved."""

import asyncio
import re

import pytest
from playwright.async_api import BrowserContext, Request, expect

from standalone.system import System
from tests.e2e.person import NewContext, Person, new_username, open_window
from tests.model_server import ModelServer, OpenAnswer

TABS = 8
STREAMS = 4
"""The limit of open streams of one browser."""


@pytest.fixture
def url(scripted_system: System) -> str:
    return scripted_system.url


@pytest.fixture
async def context(new_context: NewContext) -> BrowserContext:
    return await new_context()


async def test_one_answer_streams_in_all_tabs_over_one_connection(
    context: BrowserContext, url: str, model: ModelServer
) -> None:
    model.default = story = OpenAnswer(ending=" The end.")
    streams = _Streams(context)
    first = await open_window(context, url, new_username(), "Create account")
    await first.send("Tell a long story")
    await expect(first.page).to_have_url(re.compile("chat="))
    tabs = [await _tab(context, first.page.url) for _ in range(TABS - 1)]
    last = tabs[-1]
    await _save_a_note(last)
    await expect(last.stop).to_be_visible()
    for tab in tabs:
        await tab.sees_word(100)
    assert len(streams.begun) == 1
    async with context.expect_event("request", lambda request: _is_stream(request.url)):
        await first.page.close()  # it was the leader that read the stream; another tab takes over
    story.finish()
    await asyncio.gather(*(tab.answered() for tab in tabs))
    await expect(last.conversation).to_contain_text("The end.")
    # not the inner text: blocks out of view are not laid out, so it is empty
    shown = await last.conversation.text_content() or "no answer"
    for tab in tabs:
        await expect(tab.conversation).to_have_text(shown)
    assert len(streams.begun) == 2


async def test_eight_answers_stream_at_once_and_a_note_is_saved(
    context: BrowserContext, url: str, model: ModelServer
) -> None:
    model.default = story = OpenAnswer(ending=" The end.")
    streams = _Streams(context)
    first = await open_window(context, url, new_username(), "Create account")
    tabs = [first, *[await _tab(context, url) for _ in range(TABS - 1)]]
    for tab in tabs:
        await tab.send("Tell a long story")
    await _save_a_note(tabs[-1])
    for tab in tabs:
        await expect(tab.stop).to_be_visible()
        await tab.sees_word(30)
    story.finish()
    await asyncio.gather(*(tab.answered() for tab in tabs))
    for tab in tabs:
        await expect(tab.conversation).to_contain_text("The end.")
    assert streams.most <= STREAMS + 1  # Playwright reports the end of one a little after the beginning of the next


class _Streams:
    """Counts the run streams that the browser opens, and the maximum open at the same time."""

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
    """Saves a note while answers are streaming."""
    await tab.page.get_by_role("button", name="New note", exact=True).click()
    await tab.page.get_by_role("textbox", name="Title").fill("Written meanwhile")
    await tab.page.keyboard.press("Control+s")
    await expect(tab.page.get_by_text("Saved", exact=True)).to_be_visible()
