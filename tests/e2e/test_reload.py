"""Whoever reloads in the middle of an answer, or comes from elsewhere, reads on: nothing is missing, nothing twice."""

import os
import re
import signal

import pytest
from playwright.async_api import Browser, Page, expect

from standalone.system import System
from tests.e2e.person import Person, new_username, open_window

STORY = "Tell me a story of 2500 words about a lighthouse"
WORDS = "([log, count]) => log.textContent.split(/\\s+/).length > count"
PIECE = 100
"""Words that must have come before the next reload."""


async def test_an_answer_goes_on_through_reloads_and_on_another_device(browser: Browser, url: str) -> None:
    here_context, there_context = await browser.new_context(), await browser.new_context()
    try:
        username = new_username()
        here = await open_window(here_context, url, username, "Create account")
        await here.send(STORY)
        for reload in range(1, 4):
            await _come(here, reload * PIECE)
            await here.page.reload()
            await expect(here.conversation.get_by_text(STORY, exact=True)).to_be_visible()
            await expect(here.page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        there = await open_window(there_context, here.page.url, username, "Sign in")
        await here.answered()
        await there.answered()

        told = await _stored(here.page, url)
        for window in (here, there):
            await _shows(window, told)
    finally:
        await here_context.close()
        await there_context.close()


@pytest.mark.parametrize("name", ["agent-service", "gateway", "notes-service", "nats", "postgres"])
async def test_whoever_dies_the_page_ends_with_what_is_stored(browser: Browser, system: System, name: str) -> None:
    context = await browser.new_context()
    try:
        here = await open_window(context, system.url, new_username(), "Create account")
        await here.send(STORY)
        await _come(here, PIECE)
        old = system.pids()[name]
        os.kill(old, signal.SIGKILL)
        await expect(here.page.get_by_role("button", name="Send", exact=True)).to_be_visible(timeout=90_000)
        await system.wait_ready(replacing={name: old})
        await _shows(here, await _stored(here.page, system.url))
    finally:
        await context.close()


async def _come(window: Person, words: int) -> None:
    log = await window.conversation.element_handle()
    await window.page.wait_for_function(WORDS, arg=[log, words])


async def _stored(page: Page, url: str) -> list[str]:
    """The words of the one answer that there is, in the database."""
    talk = (await (await page.request.get(f"{url}/api/conversations")).json())["conversations"][0]["id"]
    messages = (await (await page.request.get(f"{url}/api/conversations/{talk}")).json())["messages"]
    assert [(message["role"], message["status"]) for message in messages] == [
        ("user", "complete"),
        ("assistant", "complete"),
    ]
    told = _words(messages[1]["text"])
    assert len(told) > 1800
    return told


async def _shows(window: Person, told: list[str]) -> None:
    shown = _words(await window.conversation.text_content() or "")
    at = shown.index(told[0], len(_words(STORY)))
    assert shown[at : at + len(told)] == told
    assert len(shown) < len(told) + 40  # the question, and what stands below the answer


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
