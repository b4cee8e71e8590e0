"""A reload, and a later visit, continue where the user was; the back button changes one thing at a time."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import expect

from tests.e2e.client import signed_up
from tests.e2e.person import NewContext, Person, new_username, open_window

LONG = "\n\n".join(f"Paragraph {number} of a long note, with words enough for a line." for number in range(300))
SHELF_NOTES = 150
"""More than one page of the list."""


@pytest.fixture
async def username(url: str) -> AsyncGenerator[str]:
    name = new_username()
    async with signed_up(url, name) as client:
        for number in range(SHELF_NOTES):
            await client.post("/api/notes", json={"title": f"Kept {number:03}", "tags": ["kept"], "body": "text"})
        for title, body in (("Long", LONG), ("Short", "A few words.")):
            answer = await client.post("/api/notes", json={"title": title, "body": body})
            assert answer.status_code == 201, answer.text
    yield name


async def test_a_reload_and_a_later_visit_continue_where_the_user_was(
    new_context: NewContext, url: str, username: str
) -> None:
    context = await new_context(viewport={"width": 1400, "height": 800})
    here = await open_window(context, url, username, "Sign in")
    await here.note("Long").get_by_role("link").click()
    await here.page.get_by_role("button", name="#kept").click()
    await expect(here.note("Kept 149")).to_be_visible()
    await _scroll(here, "Kept 010")
    await here.page.get_by_role("button", name="Preview").click()
    far = here.page.get_by_text("Paragraph 150 of")
    await far.scroll_into_view_if_needed()

    async def is_as_it_was(window: Person) -> None:
        await expect(window.page.get_by_role("textbox", name="Title")).to_have_value("Long")
        await expect(window.page.get_by_role("button", name="Preview")).to_have_attribute("aria-pressed", "true")
        await expect(window.page.get_by_text("Paragraph 150 of")).to_be_in_viewport()
        await expect(window.page.get_by_role("button", name="#kept")).to_have_attribute("aria-pressed", "true")
        await expect(window.note("Kept 010")).to_be_in_viewport()

    await here.page.reload()
    await is_as_it_was(here)
    await here.page.goto("about:blank")
    await here.page.goto(url)
    await is_as_it_was(here)
    await here.page.close()
    later = Person(await context.new_page())
    await later.page.goto(url)
    await is_as_it_was(later)


async def test_windows_have_their_own_places(new_context: NewContext, url: str, username: str) -> None:
    context = await new_context()
    here = await open_window(context, url, username, "Sign in")
    there = Person(await context.new_page())
    await there.page.goto(url)
    await here.note("Long").get_by_role("link").click()
    await there.note("Short").get_by_role("link").click()
    await there.page.get_by_role("button", name="Archive", exact=True).click()
    for window, title, shelf in ((here, "Long", "All notes"), (there, "Short", "Archive")):
        await window.page.goto("about:blank")
        await window.page.goto(url)
        await expect(window.page.get_by_role("textbox", name="Title")).to_have_value(title)
        button = window.page.get_by_role("button", name=shelf, exact=True)
        await expect(button).to_have_attribute("aria-current", "page")


async def test_a_note_that_is_gone_is_not_opened_again(new_context: NewContext, url: str, username: str) -> None:
    context = await new_context()
    here = await open_window(context, url, username, "Sign in")
    await here.note("Short").get_by_role("link").click()
    await expect(here.page.get_by_role("textbox", name="Title")).to_have_value("Short")
    async with signed_up(url) as other:
        other.cookies.clear()
        other.cookies.set("inkstream_session", await _session(here))
        (note,) = (await other.get("/api/notes", params={"title": "Short"})).json()["notes"]
        assert (await other.delete(f"/api/notes/{note['id']}")).status_code == 204
    await here.page.goto("about:blank")
    await here.page.goto(url)
    await expect(here.page.get_by_role("button", name="Start writing")).to_be_visible()
    assert "note=" not in here.page.url


async def test_back_changes_one_thing_at_a_time(new_context: NewContext, url: str, username: str) -> None:
    context = await new_context(viewport={"width": 1400, "height": 800})
    here = await open_window(context, url, username, "Sign in")
    title = here.page.get_by_role("textbox", name="Title")
    archive = here.page.get_by_role("button", name="Archive", exact=True)
    await here.ask("Hello")
    await here.note("Long").get_by_role("link").click()
    await expect(title).to_have_value("Long")
    await here.note("Short").get_by_role("link").click()
    await expect(title).to_have_value("Short")
    await here.page.get_by_role("button", name="New conversation").click()
    await expect(here.conversation.get_by_text("Hello", exact=True)).to_have_count(0)
    await archive.click()
    await expect(archive).to_have_attribute("aria-current", "page")

    await here.page.go_back()
    await expect(archive).not_to_have_attribute("aria-current", "page")
    await expect(here.note("Long")).to_be_visible()
    await expect(here.conversation.get_by_text("Hello", exact=True)).to_have_count(0)
    await here.page.go_back()
    await expect(here.conversation.get_by_text("Hello", exact=True)).to_be_visible()
    await expect(title).to_have_value("Short")
    await here.page.go_back()
    await expect(title).to_have_value("Long")
    await expect(here.conversation.get_by_text("Hello", exact=True)).to_be_visible()
    await here.page.go_forward()
    await expect(title).to_have_value("Short")


async def _scroll(here: Person, title: str) -> None:
    """With the wheel, until a note is in view."""
    await here.notes.get_by_role("listitem").first.hover()
    async with asyncio.timeout(60):
        while not await here.note(title).count():
            await here.page.mouse.wheel(0, 600)
            await here.page.evaluate("() => new Promise(requestAnimationFrame)")
    await here.note(title).scroll_into_view_if_needed()


async def _session(here: Person) -> str:
    cookies = await here.page.context.cookies()
    return next(cookie["value"] for cookie in cookies if cookie["name"] == "inkstream_session")  # pyright: ignore
