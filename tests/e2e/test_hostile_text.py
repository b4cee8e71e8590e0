"""Texts that would keep the page busy: it shows them, or as much of them as is asked for, and answers meanwhile."""

import pytest
from playwright.async_api import expect

from tests.e2e.person import NewContext, new_username, open_window

QUOTATIONS = "".join(">" * (40 - level) + " quoted\n" for level in range(40))
TEXTS = {
    "quotations that end one by one": QUOTATIONS * 10,
    "a wide table with short rows": "|a" * 3_000 + "\n" + "|-" * 3_000 + "\n" + "|\n" * 3_000,
    "emphasis without an end": "*a " * 60_000,
    "details in details": "<details>\n" * 4_000,
    "a macro that multiplies": "$\\def\\a{" + "x" * 900 + "}" + "\\a" * 450 + "$",
}


@pytest.mark.parametrize("name", TEXTS)
async def test_a_preview_of_a_hostile_text_answers(new_context: NewContext, url: str, name: str) -> None:
    context = await new_context(base_url=url)
    here = await open_window(context, url, new_username(), "Create account")
    await context.request.post("/api/notes", data={"title": "Hostile", "body": f"First words\n\n{TEXTS[name]}"})
    await context.request.post("/api/notes", data={"title": "Another", "body": "other words"})
    await here.note("Hostile").click()
    await here.page.get_by_role("button", name="Preview").click()
    await expect(here.page.get_by_role("article").get_by_text("First words")).to_be_visible()
    await here.note("Another").click()
    await expect(here.page.get_by_text("other words").first).to_be_visible()


async def test_a_very_long_text_is_shown_as_far_as_it_is_asked_for(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    here = await open_window(context, url, new_username(), "Create account")
    await context.request.post("/api/notes", data={"title": "Long", "body": "line\n\n" * 6_000 + "The end"})
    await here.note("Long").click()
    await here.page.get_by_role("button", name="Preview").click()
    preview = here.page.get_by_role("article")
    more = preview.get_by_role("button", name="Show more of this text")
    await expect(preview.locator("p")).to_have_count(2_500)
    await more.click()
    await expect(preview.locator("p")).to_have_count(5_000)
    await more.click()
    await expect(preview.get_by_text("The end")).to_be_visible()
    await expect(more).to_have_count(0)
