"""What the assistant does in one window is shown in every window of that user, and of no other user."""

from playwright.async_api import expect

from tests.e2e.person import NewContext, Person, new_username, open_window


async def test_what_the_assistant_changes_is_live_in_every_window_of_the_user(
    new_context: NewContext, url: str
) -> None:
    laptop, phone, stranger = [await new_context() for _ in range(3)]
    username = new_username()
    here = await open_window(laptop, url, username, "Create account")
    there = await open_window(phone, url, username, "Sign in")
    other = await open_window(stranger, url, new_username(), "Create account")
    before = await other.notes.get_by_role("listitem").count()
    await _mark(here, there, other)

    await here.ask("Create a note titled Shopping list with milk and eggs")
    for window in (here, there):
        await expect(window.note("Shopping list")).to_have_count(1)

    await here.ask("Rename Shopping list to Groceries")
    for window in (here, there):
        await expect(window.note("Groceries")).to_have_count(1)
        await expect(window.note("Shopping list")).to_have_count(0)

    await there.note("Groceries").click()
    await here.ask("Add butter to Groceries")
    await expect(there.body).to_contain_text("butter")

    await here.send("Delete the note Groceries")
    await here.allow.click()
    await here.answered()
    for window in (here, there):
        await expect(window.note("Groceries")).to_have_count(0)

    assert await other.notes.get_by_role("listitem").count() == before
    await expect(other.page.get_by_text("Groceries")).to_have_count(0)
    for window in (here, there, other):
        assert await window.page.evaluate("window.notReloaded === true"), "the page was loaded again"


async def test_a_persons_own_change_travels_the_same_way(new_context: NewContext, url: str) -> None:
    first, second = await new_context(), await new_context()
    username = new_username()
    here = await open_window(first, url, username, "Create account")
    there = await open_window(second, url, username, "Sign in")
    await here.page.get_by_role("button", name="New note").first.click()
    await here.page.get_by_role("textbox", name="Title").fill("Written by hand")
    await here.body.fill("with a pen")
    await expect(there.note("Written by hand")).to_have_count(1)
    await there.note("Written by hand").click()
    await expect(there.body).to_have_text("with a pen")


async def _mark(*windows: Person) -> None:
    """Sets a variable that a reload would remove."""
    for window in windows:
        await window.page.evaluate("window.notReloaded = true")
