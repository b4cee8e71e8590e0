"""The page over plain HTTP from another machine, as in a home network, is not a secure context: browsers provide no
locks, service worker, clipboard or `crypto.randomUUID`. Everything essential works without them."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, expect

from standalone.system import System
from tests.e2e.person import NewContext, Person, new_username
from tests.model_server import ModelServer, OpenAnswer

LACKS = """[isSecureContext, "locks" in navigator, "serviceWorker" in navigator, "clipboard" in navigator,
  "randomUUID" in crypto].every((there) => !there)"""


@pytest.fixture
async def context_at(new_context: NewContext) -> AsyncGenerator[Callable[[str], Awaitable[BrowserContext]]]:
    """Opens a context for the system at a URL. Fails if any of its pages raises an error."""
    errors: list[str] = []

    async def opened(url: str) -> BrowserContext:
        context = await new_context(base_url=f"http://notes.test:{urlsplit(url).port}")
        context.on("weberror", lambda error: errors.append(str(error.error)))
        return context

    yield opened
    assert errors == []


@pytest.fixture
async def context(context_at: Callable[[str], Awaitable[BrowserContext]], url: str) -> BrowserContext:
    return await context_at(url)


async def signed_up(context: BrowserContext) -> Person:
    here = Person(await context.new_page())
    await here.page.goto("/")
    assert await here.page.evaluate(LACKS)
    await here.sign(new_username(), "Create account")
    await expect(here.notes).to_be_visible()
    await expect(here.page.get_by_text("Live", exact=True)).to_be_visible()
    return here


async def second_window(context: BrowserContext) -> Person:
    there = Person(await context.new_page())
    await there.page.goto("/")
    await expect(there.notes).to_be_visible()
    return there


async def write(here: Person, title: str, text: str) -> None:
    await here.page.get_by_role("button", name="New note").first.click()
    await here.page.get_by_role("textbox", name="Title").fill(title)
    await expect(here.page.locator(".cm-content")).to_be_visible()
    await here.body.fill(text)


async def test_notes_and_the_assistant_are_live_in_two_tabs(context: BrowserContext) -> None:
    here = await signed_up(context)
    there = await second_window(context)
    await write(here, "Diary", "A quiet day.")
    await expect(there.note("Diary")).to_contain_text("A quiet day.")
    await there.ask("Create a note titled Shopping list with milk and eggs")
    await expect(here.note("Shopping list")).to_have_count(1)
    await here.send("Delete the note Shopping list")
    await here.allow.click()
    await expect(there.note("Shopping list")).to_have_count(0)
    await here.answered()


async def test_an_answer_is_followed_in_two_tabs_and_over_a_reload(
    context_at: Callable[[str], Awaitable[BrowserContext]], scripted_system: System, model: ModelServer
) -> None:
    model.default = story = OpenAnswer(ending=" The end.")
    context = await context_at(scripted_system.url)
    here = await signed_up(context)
    await here.send("Tell me a story")
    await expect(here.stop).to_be_visible()
    there = await second_window(context)
    await there.page.goto(here.page.url)
    await there.sees_word(100)
    await here.page.reload()
    await here.sees_word(200)
    story.finish()
    await expect(here.conversation).to_contain_text("The end.")
    await here.answered()
    await there.answered()
    # not the inner text: blocks out of view are not laid out, so it is empty
    await expect(there.conversation).to_have_text(await here.conversation.text_content() or "no answer")


async def test_copying_goes_the_old_way(context: BrowserContext) -> None:
    here = await signed_up(context)
    await here.ask("Create a note titled Shopping list with milk and eggs")
    copy = here.page.get_by_role("button", name="Copy answer").last
    await copy.focus()
    await here.page.keyboard.press("Enter")
    await expect(here.page.get_by_role("button", name="Copied", exact=True)).to_be_focused()
    message = here.page.get_by_role("textbox", name="Message")
    await message.press("ControlOrMeta+v")
    assert "Shopping list" in await message.input_value()


async def test_what_is_written_offline_outlives_its_tab(context: BrowserContext) -> None:
    here = await signed_up(context)
    await here.note("Welcome").click()
    await expect(here.page.locator(".cm-content")).to_be_visible()  # the editor is loaded
    await context.set_offline(True)
    await write(here, "Diary", "A quiet day.")
    await expect(here.page.get_by_text("Offline: kept on this device").first).to_be_visible()
    await here.page.close()
    await context.set_offline(False)
    later = await second_window(context)
    await expect(later.note("Diary")).to_contain_text("A quiet day.")
    await expect(later.note("Diary")).to_have_count(1)


async def test_eight_tabs_stream_and_a_note_is_still_saved(
    context_at: Callable[[str], Awaitable[BrowserContext]], scripted_system: System, model: ModelServer
) -> None:
    model.default = story = OpenAnswer(ending=" The end.")
    context = await context_at(scripted_system.url)
    first = await signed_up(context)
    tabs = [first, *[await second_window(context) for _ in range(7)]]
    for tab in tabs:
        await tab.send("Tell a long story")
    await write(tabs[-1], "Diary", "A quiet day.")
    await tabs[-1].page.keyboard.press("Control+s")
    await expect(tabs[-1].page.get_by_text("Saved", exact=True)).to_be_visible()
    for tab in tabs:
        await tab.sees_word(30)
    story.finish()
    for tab in tabs:
        await tab.answered()
        await expect(tab.conversation).to_contain_text("The end.")
