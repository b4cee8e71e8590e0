"""Whoever reloads in the middle of an answer, or comes from elsewhere, reads on: nothing is missing, nothing twice."""

import re

from playwright.async_api import Browser, Page, expect

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

        talk = await _stored(here.page, url)
        assert [message["role"] for message in talk["messages"]] == ["user", "assistant"]
        told = _words(talk["messages"][1]["text"])
        assert len(told) > 1800
        for window in (here, there):
            shown = _words(await window.conversation.text_content() or "")
            at = shown.index(told[0], len(_words(STORY)))
            assert shown[at : at + len(told)] == told
            assert len(shown) < len(told) + 40  # the question, and what stands below the answer
    finally:
        await here_context.close()
        await there_context.close()


async def _come(window: Person, words: int) -> None:
    log = await window.conversation.element_handle()
    await window.page.wait_for_function(WORDS, arg=[log, words])


async def _stored(page: Page, url: str) -> dict[str, list[dict[str, str]]]:
    talk = (await (await page.request.get(f"{url}/api/conversations")).json())["conversations"][0]["id"]
    return await (await page.request.get(f"{url}/api/conversations/{talk}")).json()


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
