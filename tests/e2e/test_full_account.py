"""A full account: the page says what to do, stores what is typed as a draft, and saves it once there is room."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Locator, Page, expect

from standalone.system import System, running
from tests.conftest import DEMO
from tests.e2e.person import NewContext, Person, new_username, open_window

SMALL = {"INKSTREAM_NOTES_PER_USER": "3", "INKSTREAM_BYTES_PER_USER": "2000"}
FULL = "there is room for 3 notes, including the trash. Delete notes for good, or ask the administrator of this server"


@pytest.fixture(scope="module")
async def small(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    """A system with a small quota."""
    async with running(data_dir=tmp_path_factory.mktemp("small"), environment=DEMO | SMALL) as started:
        yield started


@pytest.fixture
async def full(small: System, new_context: NewContext) -> AsyncGenerator[Person]:
    """A user whose quota is used up."""
    context = await new_context()
    here = await open_window(context, small.url, new_username(), "Create account")
    for title in ("One", "Two", "Three"):
        made = await context.request.post(f"{small.url}/api/notes", data={"title": title, "body": "words"})
        assert made.status == 201, await made.text()
    await expect(here.notes.get_by_role("listitem")).to_have_count(3)
    yield here
    await context.close()


async def test_a_new_note_is_kept_over_a_reload_and_saved_once_another_is_gone_for_good(full: Person) -> None:
    page = full.page
    await page.get_by_role("button", name="New note", exact=True).click()
    await page.get_by_role("textbox", name="Title").fill("Four")
    await full.body.fill("draft text")
    await expect(_note(page).get_by_text(FULL)).to_be_visible()
    await expect(_note(page).get_by_text("What you wrote is kept on this device")).to_be_visible()
    waiting = page.get_by_role("list", name="Waiting to be sent")
    await expect(waiting.get_by_role("button")).to_have_text(["Four Not saved"])

    await page.reload()
    await waiting.get_by_role("button", name="Four").click()
    await expect(full.body).to_have_text("draft text")
    await expect(_note(page).get_by_text(FULL)).to_be_visible()
    await _note(page).get_by_role("button", name="Try again").click()
    await expect(_note(page).get_by_text("Not saved: your account is full").first).to_be_visible()

    await full.note("One").click()
    await page.get_by_role("button", name="Note actions").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(full.note("One")).to_have_count(0)
    await waiting.get_by_role("button", name="Four").click()
    await _note(page).get_by_role("button", name="Open the trash").click()
    await full.note("One").click()
    await page.get_by_role("button", name="Delete for good").click()
    await page.get_by_role("button", name="Yes, delete it").click()
    await expect(waiting).to_have_count(0)
    await page.get_by_role("button", name="All notes", exact=True).click()
    await expect(full.note("Four")).to_be_visible()


async def test_words_in_a_note_are_kept_and_saved_once_another_window_makes_room(full: Person) -> None:
    page = full.page
    await full.note("Two").click()
    await full.body.fill("long " * 500)
    await expect(_note(page).get_by_text("there is room for 2,000 bytes of text")).to_be_visible()
    await full.body.fill("short")
    await expect(_note(page).get_by_text("Saved", exact=True)).to_be_visible()
    await expect(_note(page).get_by_role("button", name="Try again")).to_have_count(0)

    await page.get_by_role("button", name="New note", exact=True).click()
    await page.get_by_role("textbox", name="Title").fill("Four")
    await expect(_note(page).get_by_text(FULL)).to_be_visible()
    other = await page.context.new_page()
    await other.goto(page.url)
    gone = """async () => {
        const { notes } = await (await fetch('/api/notes')).json();
        await fetch(`/api/notes/${notes.find(({ title }) => title === 'One').id}?permanent=true`, { method: 'DELETE' });
    }"""
    await other.evaluate(gone)
    await expect(full.note("Four")).to_be_visible()


async def test_the_assistant_and_an_import_say_that_it_is_full(full: Person) -> None:
    page = full.page
    await full.ask("Create a note titled Four with milk")
    await expect(full.conversation.get_by_text(FULL).first).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Import and export").first.click()
    file = {"name": "Four.md", "mimeType": "text/markdown", "buffer": b"# Four"}
    await page.get_by_label("Files", exact=True).set_input_files(file)  # type: ignore[arg-type]
    await expect(page.get_by_role("list", name="Not imported").get_by_text(FULL)).to_be_visible()


def _note(page: Page) -> Locator:
    return page.get_by_role("region", name="Note", exact=True)
