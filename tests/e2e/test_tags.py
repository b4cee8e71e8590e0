"""The tag browser: every tag can be reached, with the number of its notes, and completed where it is typed."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.client import signed_up
from tests.e2e.person import NewContext, Person, new_username, open_window

MANY = 320


@pytest.fixture
async def username(url: str) -> AsyncGenerator[str]:
    name = new_username()
    async with signed_up(url, name) as client:
        for first in range(0, MANY, 32):
            tags = [f"many/{number:03}" for number in range(first, first + 32)]
            await client.post("/api/notes", json={"title": f"Many {first}", "tags": tags})
        for title, tags in (
            ("Rent", ["work/invoices"]),
            ("Offer", ["work/letters", "work/invoices"]),
            ("Tea", ["home"]),
        ):
            answer = await client.post("/api/notes", json={"title": title, "tags": tags})
            assert answer.status_code == 201, answer.text
    yield name


def browser(here: Person) -> Locator:
    return here.page.get_by_role("region", name="Tags", exact=True)


async def test_every_tag_is_reached_counted_and_nested(new_context: NewContext, url: str, username: str) -> None:
    context = await new_context(viewport={"width": 1400, "height": 800})
    here = await open_window(context, url, username, "Sign in")
    button = here.page.get_by_role("button", name="Tags", exact=True)
    await button.click()
    tags = browser(here)
    await expect(tags.get_by_role("button", name="#many, 10 notes")).to_be_visible()
    await expect(tags.get_by_role("button", name="#work, 2 notes")).to_be_visible()
    await expect(tags.get_by_role("listitem")).to_have_count(3)  # of too many, the least nested
    await expect(tags.get_by_text("Type a part of a tag to find it")).to_be_visible()
    await here.page.keyboard.type("invo")
    await expect(tags.get_by_role("listitem")).to_have_count(2)
    await expect(tags.get_by_role("button", name="#work, 2 notes")).to_be_visible()
    await here.page.keyboard.press("ArrowDown")
    await here.page.keyboard.press("ArrowDown")
    await here.page.keyboard.press("Enter")
    await expect(tags).to_have_count(0)
    await expect(button).to_be_focused()
    await expect(here.notes.get_by_role("listitem")).to_have_count(2)

    await button.click()
    await here.page.keyboard.type("work")
    await tags.get_by_role("button", name="#work, 2 notes").click()
    await expect(here.notes.get_by_role("listitem")).to_have_count(2)
    there = await open_window(await new_context(), url, username, "Sign in")
    await there.note("Tea").get_by_role("link").click()
    field = there.page.get_by_role("combobox", name="Add tag")
    await field.fill("lett")
    await expect(there.page.locator("datalist option")).to_have_attribute("value", "work/letters")
    await field.fill("work/letters")
    await field.press("Enter")
    await expect(here.notes.get_by_role("listitem")).to_have_count(3)  # nested in the tag that is shown here
    await button.click()
    await here.page.keyboard.type("work")
    await expect(tags.get_by_role("button", name="#work/letters, 2 notes")).to_be_visible()
    await tags.get_by_role("button", name="All tags").click()
    await expect(here.note("Many")).not_to_have_count(0)
    await button.click()
    await here.page.keyboard.press("Escape")
    await expect(tags).to_have_count(0)
    await here.page.get_by_role("button", name="Trash", exact=True).click()
    await button.click()
    await expect(tags.get_by_text("No tags here yet")).to_be_visible()
