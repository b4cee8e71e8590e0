"""A tour through every view of the page, for tests that check each of them."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Page, expect

from tests.e2e.person import Person, new_username

Look = Callable[[str], Awaitable[None]]
"""Called with the name of the current view."""
MARKDOWN = """# A heading\n\nSome **bold** words, `code`, a [link](https://example.org/) and a ~~mistake~~.\n
- [x] done\n- [ ] open\n\n> A quote\n\n| one | two |\n|---|---|\n| 1 | 2 |\n\n```python\nprint("ink")\n```\n"""
NOTES: list[dict[str, Any]] = [
    {"title": "Reading list", "body": "- The Peregrine\n- Invisible Cities", "tags": ["books", "2026"]},
    {"title": "Everything Markdown has", "body": MARKDOWN, "tags": ["work"]},
    {"title": "Ideas for the talk", "body": "1. Why streams\n2. What a broker gives", "tags": ["work"]},
]


@dataclass
class Tour:
    """`notes` are created for it. The page's context needs `base_url`."""

    page: Page
    look: Look
    notes: list[dict[str, Any]] = field(default_factory=lambda: NOTES)

    @property
    def here(self) -> Person:
        return Person(self.page)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True).first

    async def everything(self) -> None:
        await self.signing_in()
        await self.shelves()
        await self.note()
        await self.history()
        await self.conflict()
        await self.chat()
        await self.above()
        await self.windows()

    async def signing_in(self) -> None:
        page = self.page
        await page.goto("/")
        await self.button("Sign in").wait_for()
        await self.look("sign-in")
        await self.button("Sign in").click()
        await expect(page.get_by_text("Enter a username.")).to_be_visible()
        await self.look("sign-in with mistakes")
        await self.here.enter("/", new_username(), "Create account")
        await expect(self.here.notes).to_have_attribute("aria-busy", "false")
        await self.look("first visit")
        for note in self.notes:
            made = await page.request.post("/api/notes", data=note)
            assert made.ok, await made.text()
        await expect(self.here.note(self.notes[-1]["title"])).to_have_count(1)
        await self.look("notes")

    async def shelves(self) -> None:
        search = self.page.get_by_role("searchbox", name="Search notes")
        await search.fill(self.notes[0]["title"].split()[0])
        await expect(self.page.locator("mark").first).to_be_visible()
        await self.look("search results")
        await search.fill("zzzzzz")
        await expect(self.page.get_by_text("Nothing found for")).to_be_visible()
        await self.look("nothing found")
        await search.press("Escape")
        for shelf in ("Archive", "Trash"):
            await self.button(shelf).click()
            await expect(self.page.get_by_role("heading", name=shelf, exact=True)).to_be_visible()
            await self.look(f"empty {shelf.lower()}")
        await self.button("All notes").click()

    async def note(self) -> None:
        title = self.notes[1]["title"]
        await self.here.note(title).click()
        await expect(self.page.get_by_role("textbox", name="Title")).to_have_value(title)
        await self.look("note")
        await self._preview()
        await self.button("Preview").click()
        await self.button("Note actions").click()
        await self.look("note actions")
        await self.page.get_by_role("menuitem", name="Delete", exact=True).click()
        await expect(self.here.note(title)).to_have_count(0)
        await self.look("note in the trash, with its notice")
        await self.button("Trash").click()
        await self.here.note(title).click()
        await self.button("Delete for good").click()
        await self.look("note in the trash")
        await self.button("Keep").click()
        await self.button("Restore").click()
        await self.button("All notes").click()
        await expect(self.here.note(title)).to_have_count(1)

    async def history(self) -> None:
        note = await self._open(self.notes[0]["title"])
        await self.page.request.patch(
            f"/api/notes/{note['id']}", data={"body": "- The Kestrel"}, headers={"If-Match": '"1"'}
        )
        await self.button("History").click()
        await expect(self.page.get_by_role("insertion").first).to_be_visible()
        await self.look("history")
        await self.button("Close the history").click()

    async def conflict(self) -> None:
        note = await self._open(self.notes[2]["title"])
        await self.page.context.set_offline(True)
        await self.here.body.press("ControlOrMeta+a")
        await self.page.keyboard.type("Mine")
        await expect(self.page.get_by_text(re.compile("Offline")).first).to_be_visible()
        await self.look("offline")
        await self.page.request.patch(
            f"/api/notes/{note['id']}", data={"body": "Theirs"}, headers={"If-Match": f'"{note["version"]}"'}
        )
        await self.page.context.set_offline(False)
        await expect(self.button("Keep mine")).to_be_visible()
        await self.look("conflict")
        await self.button("Merge both").click()
        await expect(self.page.get_by_role("textbox", name="Merged text")).to_be_focused()
        await self.look("two texts being merged")
        await self.button("Back").click()
        await self.button("Keep mine").click()

    async def chat(self) -> None:
        pane, message = self.button("Assistant pane"), self.page.get_by_role("textbox", name="Message")
        if await pane.is_visible() and not await message.is_visible():  # it starts closed in a narrow window
            await pane.click()
        await self.here.ask("Create a note titled Shopping list with milk and eggs")
        await self.here.ask("Add butter to Shopping list")
        await self.page.get_by_role("button", name=re.compile(r"done, details$")).last.click()
        await self.look("tool card")
        await self.button("Undo change").click()
        await self.look("undo")
        await self.button("Keep").click()
        await self.here.send("Delete the note Shopping list")
        await expect(self.here.allow).to_be_visible()
        await self.look("approval")
        await self.button("Deny").click()
        await self.here.answered()
        await self.button("Conversations").click()
        await self.look("conversations")
        await self.page.keyboard.press("Escape")

    async def above(self) -> None:
        page = self.page
        for opened in ("Import and export", "Settings"):
            await self.button(opened).click()
            await expect(page.get_by_role("dialog", name=opened)).to_be_visible()
            await self.look(opened)
            await page.keyboard.press("Escape")
        await page.get_by_role("log", name="Conversation").focus()
        for key, name in (("?", "Keyboard shortcuts"), ("Control+k", "Commands")):
            await page.keyboard.press(key)
            await expect(page.get_by_role("dialog", name=name)).to_be_visible()
            await self.look(name)
            await page.keyboard.press("Escape")
        await self.button("Event log").click()
        await self.look("event log")
        await self.button("Close the event log").click()

    async def windows(self) -> None:
        note = await self._open(self.notes[0]["title"])
        for name, path in (("chat", "/chat"), ("notes", f"/notes?note={note['id']}"), ("note", f"/notes/{note['id']}")):
            await self.page.goto(path)
            await self.page.get_by_role("textbox", name="Message" if name == "chat" else "Title").wait_for()
            await self.look(f"window of its own: {name}")

    async def _preview(self) -> None:
        await self.button("Preview").click()
        await expect(self.page.get_by_role("article").locator(".prose")).not_to_be_empty()
        await self.look("preview")

    async def _open(self, title: str) -> dict[str, Any]:
        await self.here.note(title).click()
        await expect(self.page.get_by_role("textbox", name="Title")).to_have_value(title)
        listed = await (await self.page.request.get("/api/notes")).json()
        return next(note for note in listed["notes"] if note["title"] == title)


@dataclass
class PhoneTour(Tour):
    """The panes of a phone, one at a time."""

    async def everything(self) -> None:
        await self.signing_in()
        await self.button("Menu").click()
        await self.look("menu")
        await self.page.keyboard.press("Escape")
        await self._open(self.notes[1]["title"])
        await self.look("note")
        await self._preview()
        await self.button("Assistant").click()
        await self.look("assistant")
        await self.here.ask("Create a note titled Shopping list with milk and eggs")
        await self.look("answer")
        await self.here.send("Delete the note Shopping list")
        await expect(self.here.allow).to_be_visible()
        await self.look("approval")
        await self.page.reload()
        await self.button("Notes").click()
        await self.look("waiting")
