"""A new user finds a note that explains Inkstream, and three suggested messages that work."""

import pytest
from playwright.async_api import expect

from tests.e2e.person import NewContext, Person, new_username

WELCOME = "Welcome to Inkstream"


async def test_a_new_person_is_welcomed_once(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here, username = Person(await context.new_page()), new_username()
    await here.page.goto(url)
    await here.sign(username, "Create account")
    await expect(here.note(WELCOME)).to_have_count(1)
    await expect(here.page.get_by_role("textbox", name="Title")).to_have_value(WELCOME)
    await expect(here.body).to_contain_text("saves itself")
    await here.page.reload()
    await expect(here.notes.get_by_role("listitem")).to_have_count(1)


@pytest.mark.parametrize(
    ("place", "answer"),
    [(0, "I created the note “Shopping list”"), (1, "it saves itself, and every window"), (2, "You have one note")],
)
async def test_what_is_suggested_works(new_context: NewContext, url: str, place: int, answer: str) -> None:
    context = await new_context()
    here = Person(await context.new_page())
    await here.page.goto(url)
    await here.sign(new_username(), "Create account")
    suggestions = here.page.get_by_role("list", name="Suggestions").get_by_role("button")
    await expect(suggestions).to_have_count(3)
    await expect(suggestions.nth(1)).to_have_text("What is this note about?")
    await suggestions.nth(place).click()
    await here.answered()
    await expect(here.conversation.get_by_text(answer)).to_be_visible()
    listed = await (await here.page.request.get(f"{url.rstrip('/')}/api/notes")).json()
    assert [note["version"] for note in listed["notes"] if note["title"] == WELCOME] == [1]
