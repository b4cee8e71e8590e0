"""Several deletions wait for approval together: each is decided separately, with a reload and a restart in between."""

import os
import signal

from playwright.async_api import expect

from standalone.system import System
from tests.e2e.person import NewContext, new_username, open_window


async def test_each_is_decided_by_itself(new_context: NewContext, url: str, system: System) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.ask("Create notes titled Alpha, Beta and Gamma")
    await here.send("Delete Alpha, then delete Beta, then delete Gamma")
    question = here.conversation.get_by_role("group", name="Delete “")
    await expect(question).to_have_count(1)
    await expect(question).to_have_accessible_name("Delete “Alpha”?")
    await expect(question.get_by_text("1 of 3")).to_be_visible()

    await here.allow.focus()
    await here.page.keyboard.press("Enter")
    await expect(question).to_have_accessible_name("Delete “Beta”?")
    await expect(here.allow).to_be_focused()
    await expect(here.note("Alpha")).to_have_count(0)

    await here.page.reload()
    await expect(question).to_have_accessible_name("Delete “Beta”?")
    await question.get_by_role("button", name="Deny").click()
    await expect(question).to_have_accessible_name("Delete “Gamma”?")

    old = system.pids()["agent-service"]
    os.kill(old, signal.SIGKILL)
    await system.wait_ready(replacing={"agent-service": old})
    await here.page.reload()
    await expect(question).to_have_accessible_name("Delete “Gamma”?")
    await here.allow.click()
    await here.answered()
    await expect(here.allow).to_have_count(0)
    await expect(here.note("Gamma")).to_have_count(0)
    await expect(here.note("Beta")).to_have_count(1)
    calls = here.conversation.get_by_role("button", name="6 tool calls")
    if await calls.get_attribute("aria-expanded") == "false":  # open already, where one was seen running
        await calls.click()
    await expect(here.conversation.get_by_text("Did not delete")).to_have_count(1)
    await expect(here.page.get_by_role("button", name="Undo 2 changes")).to_be_visible()


async def test_always_in_this_conversation_answers_for_the_others_too(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.ask("Create notes titled Alpha, Beta and Gamma")
    await here.send("Delete Alpha and delete Beta")
    await here.page.get_by_role("button", name="Always in this conversation").click()
    await here.answered()
    await here.ask("Delete Gamma")
    for title in ("Alpha", "Beta", "Gamma"):
        await expect(here.note(title)).to_have_count(0)
