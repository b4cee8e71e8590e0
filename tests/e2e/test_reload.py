"""After a reload during an answer, or on another device, the answer continues without gaps or duplicates."""

import os
import re
import signal

import pytest
from playwright.async_api import Page, expect

from standalone.system import System
from tests.e2e.person import NewContext, Person, new_username, open_window
from tests.model_server import ModelServer, OpenAnswer

STORY = "Tell me a story about a lighthouse"


@pytest.fixture
def story(model: ModelServer) -> OpenAnswer:
    """The model's answer to every request."""
    model.default = answer = OpenAnswer(ending=" The end.")
    return answer


async def test_an_answer_goes_on_through_reloads_and_on_another_device(
    new_context: NewContext, scripted_system: System, story: OpenAnswer
) -> None:
    url = scripted_system.url
    here_context, there_context = await new_context(), await new_context()
    username = new_username()
    here = await open_window(here_context, url, username, "Create account")
    await here.send(STORY)
    for words in (100, 200, 300):
        await here.sees_word(words)
        await here.page.reload()
        await expect(here.conversation.get_by_text(STORY, exact=True)).to_be_visible()
        await expect(here.stop).to_be_visible()
    there = await open_window(there_context, here.page.url, username, "Sign in")
    await there.sees_word(400)
    story.finish()
    await here.answered()
    await there.answered()

    stored = await _stored(here.page, url)
    for window in (here, there):
        await _shows(window, stored)


@pytest.mark.parametrize("name", ["agent-service", "gateway", "notes-service", "nats", "postgres"])
async def test_whoever_dies_the_page_ends_with_what_is_stored(
    new_context: NewContext, scripted_system: System, story: OpenAnswer, name: str
) -> None:
    system, context = scripted_system, await new_context()
    here = await open_window(context, system.url, new_username(), "Create account")
    await here.send(STORY)
    await here.sees_word(100)
    old = system.pids()[name]
    os.kill(old, signal.SIGKILL)
    await system.wait_ready(replacing={name: old})
    shown = (await here.conversation.text_content() or "").count("word")
    await here.sees_word(shown + 100)
    story.finish()
    await expect(here.conversation).to_contain_text("The end.")
    await here.answered()
    await _shows(here, await _stored(here.page, system.url))


async def _stored(page: Page, url: str) -> list[str]:
    """The words of the only answer in the database."""
    talk = (await (await page.request.get(f"{url}/api/conversations")).json())["conversations"][0]["id"]
    messages = (await (await page.request.get(f"{url}/api/conversations/{talk}")).json())["messages"]
    assert [(message["role"], message["status"]) for message in messages] == [
        ("user", "complete"),
        ("assistant", "complete"),
    ]
    stored = _words(messages[1]["text"])
    assert stored[-2:] == ["The", "end"]
    assert stored[:-2] == [f"word{number}" for number in range(1, len(stored) - 1)]
    return stored


async def _shows(window: Person, stored: list[str]) -> None:
    shown = _words(await window.conversation.text_content() or "")
    at = shown.index(stored[0], len(_words(STORY)))
    assert shown[at : at + len(stored)] == stored
    assert len(shown) < len(stored) + 40  # the question, and the footer of the answer


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
