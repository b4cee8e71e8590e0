"""Offline and after closing a tab: drafts are stored and saved exactly once later, and notes can be read meanwhile."""

import asyncio

import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.e2e.offline import (
    NOTHING_STORED,
    change_elsewhere,
    create_note,
    delete_note,
    fetch_in,
    note_is_cached,
    notes_titled,
    nothing_is_left,
    stored_here,
    type_body,
    worker_is_there,
    write_new,
)
from tests.e2e.person import SLOW_MS, NewContext, Person, new_username, open_window


@pytest.fixture
async def context(new_context: NewContext) -> BrowserContext:
    """One browser of one user, with its storage."""
    return await new_context()


async def test_a_note_written_offline_outlives_its_tab_and_is_saved_once(context: BrowserContext, url: str) -> None:
    here = await open_window(context, url, new_username(), "Create account")
    await worker_is_there(here.page)
    await context.set_offline(True)
    await write_new(here, "Diary", "A quiet day.")
    await expect(stored_here(here.page)).to_be_visible()
    await here.page.close()

    later = Person(await context.new_page())
    await context.set_offline(False)
    await later.page.goto(url)
    await expect(later.note("Diary")).to_have_count(1)
    await nothing_is_left(later.page)
    assert [note["body"] for note in await notes_titled(later.page, "Diary")] == ["A quiet day."]


async def test_a_write_whose_answer_was_lost_is_not_made_twice(context: BrowserContext, url: str) -> None:
    here = await open_window(context, url, new_username(), "Create account")

    async def lose_the_answer(route: Route) -> None:
        if route.request.method in ("POST", "PATCH"):
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await context.route("**/api/notes**", lose_the_answer)
    await write_new(here, "Only once", "first words")
    await expect(stored_here(here.page)).to_be_visible()
    await type_body(here, "first words, and more")
    await here.page.close()
    await context.unroute("**/api/notes**")

    later = Person(await context.new_page())
    await later.page.goto(url)
    await nothing_is_left(later.page)
    notes = await notes_titled(later.page, "Only once")
    assert [note["body"] for note in notes] == ["first words, and more"]


async def test_a_message_whose_answer_was_lost_is_not_asked_twice(context: BrowserContext, url: str) -> None:
    here = await open_window(context, url, new_username(), "Create account")
    page, message = here.page, "Create a note titled Asked once with words"
    arrived = asyncio.Event()

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        arrived.set()
        await route.abort()

    await page.route("**/api/runs", lose_the_answer)
    await here.send(message)
    await asyncio.wait_for(arrived.wait(), SLOW_MS / 1000)
    await page.close()

    later = Person(await context.new_page())
    await later.page.goto(url)
    await expect(later.conversation.get_by_text(message, exact=True)).to_be_visible()
    await later.page.get_by_role("button", name="Send again", exact=True).click()
    await expect(later.note("Asked once")).to_have_count(1)
    await later.answered()
    assert len((await fetch_in(later.page, "GET", "/api/conversations"))["conversations"]) == 1
    assert len(await notes_titled(later.page, "Asked once")) == 1


@pytest.mark.parametrize(
    ("theirs", "conflict"), [("milk\neggs\nbread\nbutter", False), ("goat milk\neggs\nbread", True)]
)
async def test_words_left_unsaved_meet_what_was_written_meanwhile(
    context: BrowserContext, url: str, theirs: str, conflict: bool
) -> None:
    here = await open_window(context, url, new_username(), "Create account")
    note = await create_note(here.page, "Shopping", "milk\neggs\nbread")
    await here.note("Shopping").click()
    await context.set_offline(True)
    await type_body(here, "oat milk\neggs\nbread")
    await expect(stored_here(here.page)).to_be_visible()
    await change_elsewhere(context, url, note, theirs)
    await here.page.close()
    await context.set_offline(False)

    later = Person(await context.new_page())
    await later.page.goto(url)
    if conflict:  # the note of the last visit is open again
        await expect(later.page.get_by_text("changed in another window")).to_be_visible()
        await later.page.get_by_role("button", name="Keep mine").click()
    await nothing_is_left(later.page)
    (saved,) = await notes_titled(later.page, "Shopping")
    assert saved["body"] == ("oat milk\neggs\nbread" if conflict else "oat milk\neggs\nbread\nbutter")


async def test_another_tab_saves_what_a_closed_one_has_left(context: BrowserContext, url: str) -> None:
    username = new_username()
    here = await open_window(context, url, username, "Create account")
    there = Person(await context.new_page())
    await there.page.goto(url)
    await expect(there.notes).to_be_visible()
    await context.set_offline(True)
    await write_new(here, "Left behind", "words")
    await expect(stored_here(here.page)).to_be_visible()
    await here.page.close()
    await context.set_offline(False)
    await expect(there.note("Left behind")).to_have_count(1)
    assert len(await notes_titled(there.page, "Left behind")) == 1


async def test_notes_are_read_and_changed_after_a_reload_without_the_server(context: BrowserContext, url: str) -> None:
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await create_note(page, "Never opened", "read ahead")
    await here.note("Never opened").wait_for()
    await note_is_cached(page, "read ahead")
    await worker_is_there(page)
    await context.set_offline(True)
    await page.reload()
    await here.note("Never opened").click()
    await expect(here.body).to_have_text("read ahead")
    await expect(page.get_by_role("status").filter(has_text="Offline").first).to_be_visible()
    await page.get_by_role("searchbox", name="Search notes").fill("ahead")
    await expect(here.note("Never opened")).to_have_count(1)
    await type_body(here, "read ahead, changed offline")
    await expect(stored_here(page)).to_be_visible()
    await context.set_offline(False)
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    (saved,) = await notes_titled(page, "Never opened")
    assert saved["body"] == "read ahead, changed offline"


async def test_notes_deleted_offline_go_once_the_server_is_back_and_one_changed_since_stays(
    context: BrowserContext, url: str
) -> None:
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await create_note(page, "Shopping", "milk")
    plan = await create_note(page, "Plan", "begin")
    await note_is_cached(page, "begin")
    await worker_is_there(page)
    await context.set_offline(True)
    await here.note("Shopping").click()
    await type_body(here, "milk and eggs")
    await delete_note(page)
    await here.note("Plan").click()
    await delete_note(page)
    await write_new(here, "Secret", "never sent")
    await expect(stored_here(page)).to_be_visible()
    await delete_note(page)
    await expect(page.get_by_text("“Secret” was discarded: it had not been saved yet.")).to_be_visible()
    await expect(here.notes.get_by_role("listitem")).to_have_count(0)
    waiting = page.get_by_role("list", name="Waiting to be sent")
    await expect(waiting.get_by_role("button")).to_have_text(["Plan Deleted", "Shopping Deleted"])
    await waiting.get_by_role("button", name="Shopping").click()
    await expect(page.get_by_role("button", name="Delete for good")).to_be_disabled()
    await expect(page.get_by_text("Deleting for good needs the server")).to_be_visible()
    await change_elsewhere(context, url, plan, "begin again")
    await page.close()
    await context.set_offline(False)

    later = Person(await context.new_page())
    await later.page.goto(url)
    await expect(later.page.get_by_text("“Plan” was not deleted: it was changed elsewhere")).to_be_visible()
    await nothing_is_left(later.page)
    await expect(later.notes.get_by_role("listitem")).to_have_count(1)
    assert [note["body"] for note in await notes_titled(later.page, "Plan")] == ["begin again"]
    (gone,) = (await fetch_in(later.page, "GET", "/api/notes?trashed=true"))["notes"]
    assert (gone["title"], gone["preview"]) == ("Shopping", "milk and eggs")


async def test_the_list_shows_what_is_kept_here_also_in_another_tab(context: BrowserContext, url: str) -> None:
    here = await open_window(context, url, new_username(), "Create account")
    await create_note(here.page, "Shopping", "milk")
    await create_note(here.page, "Plan", "begin")
    there = Person(await context.new_page())
    await there.page.goto(url)
    await expect(there.note("Shopping")).to_contain_text("milk")
    await here.note("Shopping").click()
    await expect(here.body).to_have_text("milk")
    await context.set_offline(True)
    await here.page.get_by_role("textbox", name="Title").fill("Groceries")
    await type_body(here, "oat milk and eggs")
    await expect(stored_here(here.page)).to_be_visible()
    for tab in (here, there):
        await expect(tab.note("Groceries")).to_contain_text("oat milk and eggs")
    waiting = there.page.get_by_role("list", name="Waiting to be sent")
    await expect(waiting.get_by_role("listitem")).to_have_text(["Groceries Changed, in another tab"])
    await here.note("Groceries").click()
    await delete_note(here.page)
    for tab in (here, there):
        await expect(tab.note("Groceries")).to_have_count(0)
    await expect(waiting.get_by_role("listitem")).to_have_text(["Groceries Deleted, in another tab"])
    await here.page.get_by_role("button", name="Undo").click()
    await expect(there.note("Groceries")).to_be_visible()
    await context.set_offline(False)
    await expect(waiting).to_have_count(0)
    await expect(there.note("Groceries")).to_contain_text("oat milk and eggs")
    (saved,) = await notes_titled(there.page, "Groceries")
    assert saved["body"] == "oat milk and eggs"


async def test_signing_out_takes_everything_off_the_device(context: BrowserContext, url: str) -> None:
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await create_note(page, "Private", "for my eyes")
    await note_is_cached(page, "for my eyes")
    other = Person(await context.new_page())
    await other.page.goto(url)
    await here.note("Private").click()
    await context.route("**/api/notes/*", lambda route: route.abort())
    await type_body(here, "for my eyes, unsaved")
    await expect(stored_here(page)).to_be_visible()

    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.get_by_role("button", name="Stay signed in").click()
    await expect(here.note("Private")).to_be_visible()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.get_by_role("button", name="Sign out and discard them").click()
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    await expect(other.page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    await context.unroute("**/api/notes/*")
    await asyncio.wait_for(page.evaluate(NOTHING_STORED), SLOW_MS / 1000)
    await here.enter(url, new_username(), "Create account")
    await expect(here.note("Private")).to_have_count(0)
