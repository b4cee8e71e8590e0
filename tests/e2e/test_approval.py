"""Tool calls that require approval wait for the user: across a reload and a restart, and in every window."""

import os
import signal

from playwright.async_api import expect

from standalone.system import System
from tests.e2e.person import NewContext, Person, new_username, open_window


async def test_a_deletion_waits_through_a_reload_and_a_restart(
    new_context: NewContext, url: str, system: System
) -> None:
    laptop, phone = await new_context(), await new_context()
    username = new_username()
    here = await open_window(laptop, url, username, "Create account")
    there = await open_window(phone, url, username, "Sign in")
    await here.ask("Create a note titled Diary with a secret")
    await here.send("Delete the note Diary")
    await expect(here.allow).to_be_visible()
    await _shows_the_waiting_call(there)

    await here.page.reload()
    await expect(here.allow).to_be_visible()
    old = system.pids()["agent-service"]
    os.kill(old, signal.SIGKILL)
    await system.wait_ready(replacing={"agent-service": old})
    await expect(here.note("Diary")).to_have_count(1)

    await here.allow.focus()
    await here.page.keyboard.press("Enter")
    await here.answered()
    for window in (here, there):
        await expect(window.note("Diary")).to_have_count(0)
    await expect(here.allow).to_have_count(0)


async def test_a_no_with_its_reason_keeps_the_note(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.ask("Create a note titled Diary with a secret")
    await here.send("Delete the note Diary")
    why = here.page.get_by_role("textbox", name="Reason for denying")
    await why.fill("I still need it")
    await why.press("Enter")
    await here.answered()
    await expect(here.conversation.get_by_text("Did not delete")).to_be_visible()
    await expect(here.note("Diary")).to_have_count(1)
    # its name is shown wherever the note is: in the archive, and thrown away
    card = here.conversation.get_by_text("Did not delete").locator("xpath=ancestor::*[contains(@class, 'line')]")
    await expect(card).to_contain_text("Diary")
    await here.page.get_by_role("button", name="Archive", exact=True).click()
    await here.page.reload()
    await here.page.get_by_role("button", name="Trash", exact=True).click()
    await expect(here.note("Diary")).to_have_count(0)
    await expect(card).to_contain_text("Diary")


async def test_what_an_answer_did_is_taken_back(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.ask("Create a note titled Diary with a secret")
    await here.page.get_by_role("button", name="Undo change").click()
    await expect(here.conversation.get_by_text("goes to the trash")).to_be_visible()
    await here.page.get_by_role("button", name="Take back").click()
    await expect(here.conversation.get_by_text("is in the trash")).to_be_visible()
    await expect(here.note("Diary")).to_have_count(0)
    await here.page.reload()
    await expect(here.conversation.get_by_text("Changes taken back")).to_be_visible()
    await expect(here.page.get_by_role("button", name="Undo change")).to_have_count(0)


async def test_another_window_in_the_middle_of_an_answer_learns_what_was_taken_back(
    new_context: NewContext, url: str
) -> None:
    context = await new_context(viewport={"width": 1200, "height": 600})
    here = await open_window(context, url, new_username(), "Create account")
    await here.ask("Create a note titled Diary with a secret")
    there = Person(await context.new_page())
    await there.page.goto(here.page.url)
    await there.ask("Tell me a story of 300 words about a lighthouse")
    await there.send("Delete the note Diary")
    await expect(there.allow).to_be_visible()
    await there.conversation.hover()
    await there.page.mouse.wheel(0, -10_000)
    await expect(there.conversation.get_by_role("button", name="Undo change")).to_be_in_viewport()

    await here.page.get_by_role("button", name="Undo change").click()
    await here.page.get_by_role("button", name="Take back").click()
    await expect(there.conversation.get_by_text("Changes taken back")).to_be_in_viewport()
    assert await there.conversation.evaluate("log => log.scrollTop") == 0
    await expect(there.allow).to_be_attached()
    await expect(there.page.get_by_role("button", name="Stop", exact=True)).to_be_visible()


async def _shows_the_waiting_call(window: Person) -> None:
    """Another window shows the waiting call in its title and in its list of conversations."""
    await expect(window.page).to_have_title("Waiting for you · Inkstream")
    await window.page.get_by_role("button", name="Conversations").click()
    dialog = window.page.get_by_role("dialog", name="Conversations")
    await expect(dialog.get_by_text("Waiting for you")).to_be_visible()
