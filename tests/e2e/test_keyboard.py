"""Keyboard use: what Tab reaches, in which order, that the focus is visible, and the whole workflow without a mouse."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.person import PASSWORD, NewContext, Person, new_username, open_window

STOPS = 120
"""More than the number of tab stops of a page."""
NAME = """() => { const e = document.activeElement; return e === document.body ? null
  : e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent.trim() || e.tagName }"""
AROUND = """() => { const box = document.activeElement.getBoundingClientRect();
  const x = Math.max(0, box.x - 6), y = Math.max(0, box.y - 6);
  const width = Math.min(innerWidth - x, box.width + 12), height = Math.min(innerHeight - y, box.height + 12);
  return { x, y, width, height } }"""


async def test_the_whole_loop_by_keys_alone(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = Person(await context.new_page())
    await here.page.goto(url)
    await _sign_up(here)
    await _write(here)
    await _find(here)
    await _ask_allow_and_undo(here)
    await _restore(here)
    await _settings_and_out(here)


async def _sign_up(here: Person) -> None:
    keys = here.page.keyboard
    await keys.press("Tab")
    await expect(here.page.get_by_role("textbox", name="Username")).to_be_focused()
    await keys.type(new_username())
    await keys.press("Tab")
    await keys.type(PASSWORD)
    await _tab_to(here.page.get_by_role("button", name="Create account"))
    await keys.press("Enter")
    await expect(here.notes).to_be_visible()


async def _write(here: Person) -> None:
    keys = here.page.keyboard
    await keys.press("n")
    await expect(here.page.get_by_role("textbox", name="Title")).to_be_focused()
    await keys.type("Diary")
    await keys.press("Enter")
    await keys.type("a secret")
    await keys.press("Control+s")
    await expect(here.note("Diary")).to_have_count(1)
    await expect(here.page.get_by_text("Saved", exact=True)).to_be_visible()


async def _find(here: Person) -> None:
    """Finds a note with the palette, with the search field, and with the arrow keys in the list."""
    page, keys = here.page, here.page.keyboard
    await _command(here, "search notes")
    await expect(page.get_by_role("searchbox", name="Search notes")).to_be_focused()
    await keys.type("secret")
    await expect(page.get_by_role("heading", name="Found")).to_be_visible()
    await expect(here.note("Diary").locator("mark")).to_be_visible()
    await keys.press("ArrowDown")
    await expect(here.note("Diary").get_by_role("link")).to_be_focused()
    await keys.press("Enter")
    await expect(page.get_by_role("textbox", name="Title")).to_have_value("Diary")
    await keys.press("/")
    await keys.press("Escape")
    await _command(here, "diary")
    await expect(page.get_by_role("textbox", name="Title")).to_have_value("Diary")


async def _ask_allow_and_undo(here: Person) -> None:
    page, keys = here.page, here.page.keyboard
    await _command(here, "write to")
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await keys.type("Create a note titled Shopping list with milk and eggs")
    await keys.press("Enter")
    await expect(here.note("Shopping list")).to_have_count(1)
    await here.answered()
    await keys.type("Delete the note Shopping list")
    await keys.press("Enter")
    await expect(here.allow).to_be_visible()
    await _tab_to(here.allow, "Shift+Tab")
    await keys.press("Enter")
    await here.answered()
    await expect(here.note("Shopping list")).to_have_count(0)
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()

    await _tab_to(page.get_by_role("button", name="Undo change").last, "Shift+Tab")
    await keys.press("Enter")
    await expect(page.get_by_role("button", name="Take back")).to_be_focused()
    await keys.press("Enter")
    await expect(here.note("Shopping list")).to_have_count(1)
    await expect(page.get_by_role("button", name="Close", exact=True)).to_be_focused()
    await keys.press("Enter")
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()


async def _restore(here: Person) -> None:
    page, keys = here.page, here.page.keyboard
    await _command(here, "diary")
    await expect(page.get_by_role("textbox", name="Title")).to_have_value("Diary")
    await _tab_to(page.get_by_role("textbox", name="Title"))
    await keys.press("Enter")
    await keys.press("Control+End")
    await keys.type(", and another")
    await keys.press("Control+s")
    await expect(here.note("Diary")).to_contain_text("another")
    await _tab_to(page.get_by_role("button", name="History"), "Shift+Tab")
    await keys.press("Enter")
    versions = page.get_by_role("list", name="Versions").get_by_role("button")
    await expect(versions.nth(1)).to_be_visible()
    await _tab_to(versions.last)
    await keys.press("Enter")
    restore = page.get_by_role("button", name="Restore this version")
    await _tab_to(restore)
    await keys.press("Enter")
    await expect(here.note("Diary")).not_to_contain_text("another")


async def _settings_and_out(here: Person) -> None:
    page, keys = here.page, here.page.keyboard
    await _command(here, "settings")
    never = page.get_by_role("radio", name=re.compile("^Never ask"))
    await _tab_to(page.get_by_role("radio", name=re.compile("^Ask before deleting")))
    await keys.press("ArrowDown")
    await expect(never).to_be_checked()
    await expect(page.get_by_text("Saved for all your windows.")).to_be_visible()
    await expect(page.get_by_role("region", name="Storage")).to_contain_text(
        re.compile(
            r"Notes\s*\d+ of 50,000, [\d.]+ \w+ of 1 GB\s*Earlier versions\s*[\d.]+ \w+ of 1 GB\s*"
            r"Files\s*0 of 20,000, 0 \w+ of 2 GB"
        )
    )
    await keys.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await _command(here, "sign out")
    await expect(page.get_by_role("button", name="Create account")).to_be_visible()


async def test_tab_goes_through_the_page_in_order_and_is_seen_everywhere(new_context: NewContext, url: str) -> None:
    context = await new_context(reduced_motion="reduce")
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await here.ask("Create a note titled Shopping list with milk and eggs")
    await here.note("Shopping list").click()
    await expect(page.get_by_role("textbox", name="Title")).to_have_value("Shopping list")
    await page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges()")
    await page.locator("nav img").click()
    stops: list[str] = []
    unseen: list[str] = []
    for _ in range(STOPS):
        await page.keyboard.press("Tab")
        name = await page.evaluate(NAME)
        if name is None:
            break
        stops.append(name)
        if not await _is_seen(page):
            unseen.append(name)
    assert not unseen
    order = ["All notes", "Settings", "Search notes", "New note", "Width of the list", "Preview", "Title", "Body"]
    order += ["Width of the assistant", "Conversations", "New conversation", "Message", "Event log"]
    found = [stop for stop in stops if stop in order]
    assert found == order, stops


@pytest.mark.parametrize(
    ("divider", "pane", "back"),
    [("Width of the list", "List", "List pane"), ("Width of the assistant", "Assistant", "Assistant pane")],
)
async def test_a_pane_is_resized_and_hidden_by_keys(
    new_context: NewContext, url: str, divider: str, pane: str, back: str
) -> None:
    context = await new_context()
    page = (await open_window(context, url, new_username(), "Create account")).page
    separator = page.get_by_role("separator", name=divider)
    await separator.focus()
    before = int(await separator.get_attribute("aria-valuenow") or 0)
    await page.keyboard.press("ArrowRight")
    assert abs(int(await separator.get_attribute("aria-valuenow") or 0) - before) == 16
    for key, limit in (("Home", "aria-valuemin"), ("End", "aria-valuemax")):
        await page.keyboard.press(key)
        expected = await separator.get_attribute(limit)
        await expect(separator).to_have_attribute("aria-valuenow", expected or "")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("region", name=pane, exact=True)).to_have_count(0)
    await expect(page.get_by_role("button", name=back)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("region", name=pane, exact=True)).to_be_visible()


@pytest.mark.parametrize("opener", ["Settings", "Import and export", "Commands", "Note actions", "Conversations"])
async def test_what_lies_over_the_page_gives_the_focus_back(new_context: NewContext, url: str, opener: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.ask("Create a note titled Diary with a secret")
    await here.note("Diary").click()
    button = here.page.get_by_role("button", name=opener, exact=True)
    await button.focus()
    await here.page.keyboard.press("Enter")
    over = here.page.get_by_role("dialog").or_(here.page.get_by_role("menu"))
    await expect(over).to_be_visible()
    await expect(over.locator(":focus")).to_have_count(1)
    await here.page.keyboard.press("Escape")
    await expect(over).to_have_count(0)
    await expect(button).to_be_focused()


async def test_the_sheet_of_keys_is_there_on_a_question_mark(new_context: NewContext, url: str) -> None:
    context = await new_context()
    page = (await open_window(context, url, new_username(), "Create account")).page
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    for what in ("Find a note, a conversation or a command", "New note", "Write to the assistant", "Save now"):
        await expect(sheet.get_by_text(what, exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)


async def _tab_to(target: Locator, key: str = "Tab") -> None:
    for _ in range(STOPS):
        if await target.evaluate("node => node === document.activeElement"):
            return
        await target.page.keyboard.press(key)
    raise AssertionError(f"{key} does not reach {target}")


async def _command(here: Person, query: str) -> None:
    """Runs the first command that the palette finds."""
    await here.page.keyboard.press("Control+k")
    await expect(here.page.get_by_role("combobox", name="Find a note or a command")).to_be_focused()
    await here.page.keyboard.type(query)
    await expect(here.page.get_by_role("option").first).to_have_text(re.compile(query, re.IGNORECASE))
    await here.page.keyboard.press("Enter")
    await expect(here.page.get_by_role("dialog", name="Commands")).to_have_count(0)


async def _is_seen(page: Page) -> bool:
    """Whether the focused element looks different without the focus."""
    await page.evaluate("document.activeElement.scrollIntoView({ block: 'nearest' })")
    clip = await page.evaluate(AROUND)
    focused = await page.screenshot(clip=clip, animations="disabled", caret="initial")
    await page.evaluate("(window.stop = document.activeElement).blur()")
    plain = await page.screenshot(clip=clip, animations="disabled", caret="initial")
    await page.evaluate("window.stop.focus()")
    return focused != plain
