"""Conversations: search, rename, instructions, delete, and indicators of runs in other windows."""

from playwright.async_api import Locator, Page, expect

from standalone.system import System
from tests.e2e.person import NewContext, Person, new_username, open_window
from tests.model_server import ModelServer, OpenAnswer

STORY = "Tell me a story about a lighthouse"


async def test_found_renamed_and_deleted_in_every_window(new_context: NewContext, url: str) -> None:
    laptop, phone = await new_context(), await new_context()
    username = new_username()
    here = await open_window(laptop, url, username, "Create account")
    there = await open_window(phone, url, username, "Sign in")
    await here.ask("Create a note titled Shopping list with milk and eggs")
    await _new_conversation(here)
    await here.ask("What notes do I have?")

    talks = await _conversations(here.page)
    await expect(talks.get_by_role("listitem")).to_have_count(2)
    await talks.get_by_role("searchbox", name="Find a conversation").fill("milk and eggs")
    await expect(talks.get_by_role("listitem")).to_have_count(1)

    await talks.get_by_role("button", name="Rename Create a note titled Shopping").focus()
    await here.page.keyboard.press("Enter")
    await here.page.keyboard.type("Groceries")
    await here.page.keyboard.press("Enter")
    await expect(talks.get_by_role("button", name="Rename Groceries")).to_be_focused()
    elsewhere = await _conversations(there.page)
    await elsewhere.get_by_role("button", name="Groceries").first.click()
    await expect(there.page.get_by_role("heading", name="Groceries")).to_be_visible()

    await talks.get_by_role("button", name="Delete Groceries").click()
    await expect(talks.get_by_role("button", name="Delete", exact=True)).to_be_focused()
    await here.page.keyboard.press("Enter")
    await expect(talks.get_by_text("Nothing found.")).to_be_visible()
    await expect(talks.get_by_role("searchbox")).to_be_focused()
    await expect(there.page.get_by_role("heading", name="New conversation")).to_be_visible()
    await expect(there.note("Shopping list")).to_have_count(1)


async def test_an_answer_that_goes_on_elsewhere_is_seen_in_the_list(
    new_context: NewContext, scripted_system: System, model: ModelServer
) -> None:
    model.default = OpenAnswer()
    context = await new_context()
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    await here.send(STORY)
    await expect(here.page.get_by_role("button", name="Stop")).to_be_enabled()
    await _new_conversation(here)
    await expect(here.page.get_by_role("img", name="Answering elsewhere")).to_be_visible()
    talks = await _conversations(here.page)
    row = talks.get_by_role("listitem").filter(has_text=STORY)
    await expect(row.get_by_role("img", name="Answering")).to_be_visible()
    await row.get_by_role("button", name=STORY).first.click()
    await expect(here.page.get_by_role("button", name="Stop")).to_be_visible()
    await here.page.get_by_role("button", name="Stop").click()
    await here.answered()
    await expect(here.conversation.get_by_text("Stopped", exact=True)).to_be_visible()


async def test_instructions_of_a_conversation(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await _instruct(here, "You are Plato. Answer with a question.")
    await here.page.get_by_role("button", name="Save").click()
    shown = here.page.get_by_role("button", name="Instructions: You are Plato. Answer with a question.")
    await expect(shown).to_be_visible()
    await here.ask("What notes do I have?")
    await expect(here.page.get_by_role("heading", name="What notes do I have?")).to_be_visible()

    await here.page.reload()
    await shown.click()
    await here.page.get_by_role("button", name="Remove").click()
    await expect(shown).to_have_count(0)
    await here.page.reload()
    await expect(here.page.get_by_role("heading", name="What notes do I have?")).to_be_visible()
    await expect(shown).to_have_count(0)


async def _instruct(here: Person, text: str) -> None:
    await here.page.get_by_role("button", name="Conversation menu").click()
    await here.page.get_by_role("menuitem", name="Instructions").click()
    field = here.page.get_by_role("textbox", name="Instructions for this conversation")
    await expect(field).to_be_focused()
    await field.fill(text)


async def _conversations(page: Page) -> Locator:
    await page.get_by_role("button", name="Conversations").click()
    return page.get_by_role("dialog", name="Conversations")


async def _new_conversation(here: Person) -> None:
    await here.page.get_by_role("button", name="New conversation").click()
    await expect(here.page.get_by_role("heading", name="New conversation")).to_be_visible()
