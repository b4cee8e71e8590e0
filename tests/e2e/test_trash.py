"""The open trash shows a note once its deletion is acknowledged, whichever of the list and the answer comes first."""

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.e2e.person import NewContext, new_username, open_window


@pytest.mark.parametrize("is_carried_out", [True, False], ids=["answer is late", "request is late"])
async def test_a_note_appears_in_the_open_trash_once_its_deletion_is_acknowledged(
    is_carried_out: bool, new_context: NewContext, url: str
) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    made = await context.request.post(f"{url}/api/notes", data={"title": "One", "body": "words"})
    assert made.status == 201, await made.text()
    await here.note("One").click()
    is_trash_listed = asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method != "DELETE":
            return await route.continue_()
        if not is_carried_out:
            await is_trash_listed.wait()
        response = await route.fetch()
        await is_trash_listed.wait()
        await route.fulfill(response=response)

    await page.route("**/api/notes/*", hold)
    await page.get_by_role("button", name="Note actions").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(here.note("One")).to_have_count(0)
    async with page.expect_response(lambda response: "trashed=true" in response.url):
        await page.get_by_role("button", name="Trash", exact=True).click()
    await expect(page.get_by_role("heading", name="Trash")).to_be_visible()
    is_trash_listed.set()
    await expect(here.note("One")).to_be_visible()
