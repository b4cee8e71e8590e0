"""The history of a note: changes are shown word by word, and any version can be restored."""

from playwright.async_api import expect

from tests.e2e.person import NewContext, new_username, open_window


async def test_what_the_assistant_changed_is_seen_and_put_back(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await here.ask("Create a note titled Shopping list with milk and eggs")
    await here.ask("Add butter to Shopping list")
    await here.note("Shopping list").click()
    await page.get_by_role("button", name="History").click()
    versions = page.get_by_role("list", name="Versions")
    await expect(versions.get_by_role("listitem")).to_have_count(2)
    await expect(page.get_by_role("insertion")).to_contain_text("butter")

    await versions.get_by_role("button").last.click()
    await page.get_by_role("button", name="Restore this version").click()
    await expect(here.body).to_contain_text("eggs")
    await expect(here.body).not_to_contain_text("butter")


async def test_all_of_it_is_done_by_keys(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    keys = here.page.keyboard
    await keys.press("n")
    await expect(here.page.get_by_role("textbox", name="Title")).to_be_focused()
    await keys.type("Diary")
    await keys.press("Enter")
    await keys.type("a secret")
    await expect(here.note("Diary")).to_have_count(1)
    await keys.press("Control+k")
    await expect(here.page.get_by_role("combobox", name="Find a note or a command")).to_be_focused()
    await keys.type("write to")
    await keys.press("Enter")
    await expect(here.page.get_by_role("textbox", name="Message")).to_be_focused()
    await keys.type("Delete the note Diary")
    await keys.press("Enter")
    await expect(here.allow).to_be_visible()
    await here.allow.focus()
    await keys.press("Enter")
    await here.answered()
    await expect(here.note("Diary")).to_have_count(0)
    await expect(here.page.get_by_role("textbox", name="Message")).to_be_focused()
