"""Writing a note: keyboard shortcuts for Markdown, and a field that accepts text before, or without, its own code."""

import asyncio
import re

from playwright.async_api import Route, expect

from tests.e2e.person import NewContext, Person, new_username, open_window

ACCENT = re.compile(r"rgb\(\d+, \d+, [12]\d\d\)")
CODE = "**/assets/field-*.js"
LEFT_EDGES = """() => {
  const left = (line, from, to) => {
    const words = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    let text;
    while (words.nextNode()) text = words.currentNode;
    const range = new Range();
    range.setStart(text, from);
    range.setEnd(text, to ?? text.length);
    return [...range.getClientRects()].map((one) => one.left);
  };
  const [item, , plain] = document.querySelectorAll(".cm-line");
  const start = item.lastChild.textContent.indexOf("words");
  const [first, second] = left(item, start);
  return [first, second, left(plain, 0)[0]];
}"""
"""The positions at which an item's first and second line begin after its marker, and at which other lines begin."""


async def writer(new_context: NewContext, url: str, code_arrives: asyncio.Event | None = None) -> Person:
    """A user in the text field of a new note. `code_arrives`: delays the loading of the field's code."""
    context = await new_context(base_url=url)

    async def wait(route: Route) -> None:
        assert code_arrives is not None
        await code_arrives.wait()
        await route.continue_()

    if code_arrives:
        await context.route(CODE, wait)
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.keyboard.press("n")
    await expect(here.page.get_by_role("textbox", name="Title")).to_be_focused()
    await here.page.keyboard.type("Diary")
    if not code_arrives:
        await expect(here.page.locator(".cm-content")).to_be_visible()
    await here.page.keyboard.press("Enter")
    await expect(here.body).to_be_focused()
    return here


async def test_markdown_is_written_by_keys_and_tab_leads_on(new_context: NewContext, url: str) -> None:
    here = await writer(new_context, url)
    keys = here.page.keyboard
    await keys.type("- one\ntwo\n\nthe ")
    await keys.press("Control+b")
    await keys.type("end")
    await keys.press("End")
    assert await here.body.inner_text() == "- one\n- two\nthe **end**"
    await keys.press("Tab")
    await expect(here.body).not_to_be_focused()
    await keys.press("Shift+Tab")
    await expect(here.body).to_be_focused()


async def test_a_long_item_goes_on_under_its_words(new_context: NewContext, url: str) -> None:
    here = await writer(new_context, url)
    await here.body.fill("1. " + "words " * 60 + "\n\nand words")
    first, second, plain = await here.page.evaluate(LEFT_EDGES)
    assert abs(first - second) < 1
    assert second > plain + 8


async def test_code_is_coloured_once_its_language_is_fetched(new_context: NewContext, url: str) -> None:
    here = await writer(new_context, url)
    await here.page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    scripts: list[str] = []
    here.page.on("request", lambda request: scripts.append(request.url) if request.url.endswith(".js") else None)
    await here.body.fill("def words\n\n```nonsense\ndef code\n```")
    await expect(here.note("Diary")).to_contain_text("def code")
    assert scripts == []
    await here.body.fill("def words\n\n```python\ndef code\n```")
    await expect(here.page.locator(".cm-code").get_by_text("def", exact=True)).to_have_css("color", ACCENT)
    assert len(scripts) > 0


async def test_what_is_typed_while_the_field_is_fetched_stays_and_goes_on(new_context: NewContext, url: str) -> None:
    code = asyncio.Event()
    here = await writer(new_context, url, code)
    await here.page.keyboard.type("first third")
    for _ in range(len("third")):
        await here.page.keyboard.press("ArrowLeft")
    code.set()
    await expect(here.page.locator(".cm-content")).to_be_focused()
    await here.page.keyboard.type("second ")
    await expect(here.body).to_have_text("first second third")
    await expect(here.note("Diary")).to_contain_text("first second third")


async def test_a_note_is_written_where_the_field_cannot_be_fetched(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    await context.route(CODE, lambda route: route.abort())
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.get_by_role("button", name="New note").first.click()
    await here.page.get_by_role("textbox", name="Title").fill("Plain")
    await here.body.fill("words all the same")
    await expect(here.note("Plain")).to_contain_text("words all the same")
