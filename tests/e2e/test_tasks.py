"""Tasks in a note can be toggled in the preview and in the editor."""

from playwright.async_api import Locator, Page, expect

from tests.e2e.person import NewContext, new_username, open_window

TEXT = "Today:\n\n- [ ] buy **milk**\n  - [x] oat\n- [ ] eggs\n\n```\n- [ ] not this\n```\n"


async def test_a_task_is_ticked_in_the_preview_and_in_the_text(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    made = await page.request.post("/api/notes", data={"title": "To do", "body": TEXT})
    assert made.ok
    await here.note("To do").click()
    await page.get_by_role("button", name="Preview").click()
    milk, eggs = _box(page, "buy milk"), _box(page, "eggs")
    await expect(page.get_by_role("checkbox")).to_have_count(3)
    await expect(_box(page, "oat")).to_be_checked()

    await milk.check()
    await _is_saved(page, TEXT.replace("[ ] buy", "[x] buy"))
    await eggs.focus()
    await page.keyboard.press("Space")
    await expect(eggs).to_be_checked()
    await expect(eggs).to_be_focused()
    await page.keyboard.press("ControlOrMeta+z")
    await expect(eggs).not_to_be_checked()
    await expect(eggs).to_be_focused()
    await page.keyboard.press("ControlOrMeta+z")
    await _is_saved(page, TEXT)
    await page.keyboard.press("ControlOrMeta+z")
    await milk.check()
    await _is_saved(page, TEXT.replace("[ ] buy", "[x] buy"))

    await page.get_by_role("button", name="Preview").click()
    await here.body.get_by_role("checkbox").last.click()
    await _is_saved(page, TEXT.replace("[ ] buy", "[x] buy").replace("[ ] eggs", "[x] eggs"))
    await here.body.focus()
    await page.keyboard.press("ControlOrMeta+z")
    await _is_saved(page, TEXT.replace("[ ] buy", "[x] buy"))


def _box(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=name, exact=True)


async def _is_saved(page: Page, body: str) -> None:
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    notes = (await (await page.request.get("/api/notes")).json())["notes"]
    note = await (await page.request.get(f"/api/notes/{notes[0]['id']}")).json()
    assert note["body"] == body
