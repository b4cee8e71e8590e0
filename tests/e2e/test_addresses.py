"""Addresses that lead nowhere say so, in words, and lead back."""

import pytest
from playwright.async_api import expect

from tests.e2e.person import NewContext, new_username, open_window


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/nothing", "There is nothing here"),
        ("/notes/a/b", "There is nothing here"),
        ("/notes/not-an-id", "There is no note at this address."),
        ("/notes/0199a000-0000-7000-8000-000000000001", "There is no note at this address."),
        ("/?note=%3Cb%3E", "There is no note at this address."),
    ],
)
async def test_an_address_that_leads_nowhere_leads_back(
    new_context: NewContext, url: str, address: str, words: str
) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.goto(f"{url.rstrip('/')}{address}")
    await expect(here.page.get_by_text(words)).to_be_visible()
    await expect(here.page.get_by_text("pattern")).to_have_count(0)
    back = here.page.get_by_role("link", name="All notes").or_(here.page.get_by_role("button", name="Back to the list"))
    await back.first.click()
    await expect(here.notes).to_be_visible()
    await expect(here.page.get_by_text(words)).to_have_count(0)


async def test_a_conversation_that_does_not_exist_says_so(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.goto(f"{url.rstrip('/')}/?chat=nonsense")
    await expect(here.conversation.get_by_text("There is no such conversation.")).to_be_visible()
    await here.conversation.get_by_role("button", name="New conversation").click()
    await expect(here.page.get_by_role("heading", name="What shall we write?")).to_be_visible()
