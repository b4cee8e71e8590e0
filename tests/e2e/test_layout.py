"""Layout: theme, event log, separate windows, and reduced motion."""

import re

from playwright.async_api import Page, expect

from tests.e2e.person import NewContext, Person, new_username, open_window

DARK = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).every((part) => part < 60)"
WATCH_MOTION = """() => {
  window.moved = new Set();
  const look = () => {
    for (const one of document.getAnimations())
      if (one.effect.getComputedTiming().activeDuration > 0)
        window.moved.add(one.animationName || one.effect.target.className);
    requestAnimationFrame(look);
  };
  look();
}"""


async def test_the_theme_follows_the_system_or_the_person(new_context: NewContext, url: str) -> None:
    context = await new_context(color_scheme="light")
    page = (await open_window(context, url, new_username(), "Create account")).page
    assert not await page.evaluate(DARK)
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(DARK)
    await page.get_by_role("button", name="Settings").click()
    for choice, dark in (("Light", False), ("Dark", True)):
        await page.get_by_role("radio", name=choice, exact=True).check()
        await expect(page.get_by_text("Saved for all your windows.")).to_be_visible()
        assert await page.evaluate(DARK) is dark
    await page.emulate_media(color_scheme="light")
    await page.reload(wait_until="commit")
    await page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    await expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()


async def test_the_event_log_is_filtered_and_paused(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await page.get_by_role("button", name="Event log").click()
    await here.ask("Create a note titled Diary with a secret")
    await expect(here.events).to_contain_text("token")
    await page.get_by_role("searchbox", name="Filter events").fill("note_changed")
    await expect(here.events).not_to_contain_text("token")
    await expect(here.events).to_contain_text("note_changed")
    await page.get_by_role("searchbox", name="Filter events").fill("")
    await page.get_by_role("button", name="Clear").click()
    await page.get_by_role("button", name="Pause").click()
    await here.ask("What notes do I have?")
    await expect(here.events).to_contain_text("No events yet")
    await page.get_by_role("button", name="Resume").click()
    await here.ask("Read my note Diary")
    await expect(here.events).to_contain_text("done")
    await page.get_by_role("button", name="Close the event log").click()
    await expect(page.get_by_role("separator", name="Height of the event log")).to_have_count(0)


async def test_a_window_of_its_own_is_live_like_every_other(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.ask("Create a note titled Diary with a secret")
    await here.note("Diary").click()
    async with context.expect_page() as opening:
        await here.page.get_by_role("button", name="Note actions").click()
        await here.page.get_by_role("menuitem", name="Open in a window").click()
    note = await opening.value
    await expect(note.get_by_role("textbox", name="Title")).to_have_value("Diary")
    await expect(note.get_by_role("list", name="Notes", exact=True)).to_have_count(0)

    chat = Person(await _chat_window(here.page))
    await chat.ask("Rename Diary to Journal")
    await expect(note.get_by_role("textbox", name="Title")).to_have_value("Journal")
    await expect(here.note("Journal")).to_have_count(1)
    await expect(here.conversation.get_by_text("Rename Diary to Journal", exact=True)).to_be_visible()
    await note.get_by_role("textbox", name="Title").fill("Memoirs")
    await expect(here.note("Memoirs")).to_have_count(1)


async def test_nothing_moves_for_whom_it_should_not(new_context: NewContext, url: str) -> None:
    context = await new_context(reduced_motion="reduce")
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.evaluate(WATCH_MOTION)
    await here.ask("Create a note titled Diary with a secret")
    await here.send("Delete the note Diary")
    await here.allow.click()
    await here.answered()
    await expect(here.note("Diary")).to_have_count(0)
    await here.page.get_by_role("button", name="Settings").click()
    await here.page.keyboard.press("Escape")
    assert await here.page.evaluate("[...window.moved]") == []


async def test_in_a_narrow_window_the_assistant_is_a_sheet_that_starts_closed(
    new_context: NewContext, url: str
) -> None:
    context = await new_context(viewport={"width": 1440, "height": 800})
    here = await open_window(context, url, new_username(), "Create account")
    message = here.page.get_by_role("textbox", name="Message")
    await here.ask("Create a note titled Diary with a secret")
    await here.note("Diary").get_by_role("link").click()
    for width in (1199, 1024, 900):
        await here.page.set_viewport_size({"width": width, "height": 800})
        await expect(message).to_have_count(0)
        assert await _note_width(here.page) >= 560
        await here.page.get_by_role("button", name="Assistant pane").click()
        await expect(message).to_be_visible()
        assert await _note_width(here.page) >= 560  # the sheet stands over it
        await here.ask(f"Hello {width}")
        await message.press("Escape")
        await expect(message).to_have_count(0)
        await expect(here.page.get_by_role("button", name="Assistant pane")).to_be_focused()
    await here.page.reload()
    await expect(here.note("Diary")).to_be_visible()
    await expect(message).to_have_count(0)
    await here.page.set_viewport_size({"width": 1200, "height": 800})
    await expect(message).to_be_visible()
    assert await _note_width(here.page) >= 560


async def _note_width(page: Page) -> float:
    box = await page.get_by_role("region", name="Note", exact=True).bounding_box()
    assert box
    return box["width"]


async def _chat_window(page: Page) -> Page:
    async with page.context.expect_page() as opening:
        await page.get_by_role("button", name=re.compile("^Conversation menu$")).click()
        await page.get_by_role("menuitem", name="Open in a window").click()
    return await opening.value
