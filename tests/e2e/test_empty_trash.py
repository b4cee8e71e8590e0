"""Emptying the trash, in every window."""

import asyncio

from playwright.async_api import expect

from tests.e2e.client import signed_up
from tests.e2e.person import NewContext, new_username, open_window

MANY = 120
"""More than one request deletes, and more than one page of the list."""


async def test_the_trash_is_emptied_after_a_question(new_context: NewContext, url: str) -> None:
    username = new_username()
    async with signed_up(url, username) as client:

        async def thrown_away(number: int) -> None:
            note = (await client.post("/api/notes", json={"title": f"Old {number}"})).json()
            assert (await client.delete(f"/api/notes/{note['id']}")).status_code == 204

        for first in range(0, MANY, 10):
            await asyncio.gather(*(thrown_away(number) for number in range(first, first + 10)))
        await client.post("/api/notes", json={"title": "Kept"})
    here = await open_window(await new_context(), url, username, "Sign in")
    there = await open_window(await new_context(), url, username, "Sign in")
    for window in (here, there):
        await window.page.get_by_role("button", name="Trash", exact=True).click()
        await expect(window.note("Old 11")).not_to_have_count(0)
    await here.note("Old 119").get_by_role("link").click()
    await here.page.get_by_role("button", name="Empty the trash").click()
    dialog = here.page.get_by_role("dialog", name="Empty the trash?")
    await expect(dialog).to_contain_text("More than 100 notes are deleted for good")
    await dialog.get_by_role("button", name="Keep them").click()
    await expect(dialog).to_have_count(0)
    await here.page.get_by_role("button", name="Empty the trash").click()
    await dialog.get_by_role("button", name="Delete for good").click()
    await expect(here.page.get_by_text(f"{MANY} notes are deleted for good.")).to_be_visible()
    for window in (here, there):
        await expect(window.page.get_by_text("The trash is empty.")).to_be_visible()
        await expect(window.page.get_by_role("button", name="Empty the trash")).to_have_count(0)
        await window.page.get_by_role("button", name="All notes", exact=True).click()
        await expect(window.note("Kept")).to_be_visible()
