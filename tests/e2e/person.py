"""A user of the page, who finds elements by their accessible names: these are the page's interface to browser tests."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import BrowserContext, Locator, Page, expect

PASSWORD = "correct horse battery staple"
SLOW_MS = 120_000
"""The timeout of all waits, in milliseconds. Generous, because a busy machine is slow."""

NewContext = Callable[..., Awaitable[BrowserContext]]

expect.set_options(timeout=SLOW_MS)


def new_username() -> str:
    return f"user_{secrets.token_hex(6)}"


@dataclass(frozen=True)
class Person:
    """One window of one user."""

    page: Page

    @property
    def notes(self) -> Locator:
        return self.page.get_by_role("list", name="Notes", exact=True)

    @property
    def conversation(self) -> Locator:
        return self.page.get_by_role("log", name="Conversation")

    @property
    def events(self) -> Locator:
        return self.page.get_by_role("log", name="Events")

    @property
    def body(self) -> Locator:
        """The field of a note's text. It is no form control: use `to_have_text` or `inner_text`."""
        return self.page.get_by_role("textbox", name="Body")

    def note(self, title: str) -> Locator:
        return self.notes.get_by_role("listitem").filter(has_text=title)

    async def enter(self, url: str, username: str, button: str) -> None:
        """Opens the page and signs in: `button` is "Sign in" or "Create account". A new user starts without the welcome
        note, which exists only if the account is created on the page: see `test_first_run.py`."""
        if button == "Create account":
            account = {"username": username, "password": PASSWORD}
            made = await self.page.context.request.post(f"{url.rstrip('/')}/api/auth/register", data=account)
            assert made.status == 201, await made.text()
        await self.page.goto(url)
        if button == "Sign in":
            await self.sign(username, button)
        await expect(self.notes).to_be_visible()

    async def sign(self, username: str, button: str) -> None:
        """Fills in the form and presses one of its buttons."""
        await self.page.get_by_role("textbox", name="Username").fill(username)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.page.get_by_role("button", name=button, exact=True).click()

    @property
    def allow(self) -> Locator:
        """The button that approves a waiting tool call."""
        return self.page.get_by_role("button", name="Allow once", exact=True)

    async def ask(self, message: str) -> None:
        """Sends a message and waits until the answer is complete."""
        await self.send(message)
        await self.answered()

    async def answered(self) -> None:
        await expect(self.page.get_by_role("button", name="Send", exact=True)).to_be_visible()

    @property
    def stop(self) -> Locator:
        """The button that is shown while an answer is streaming."""
        return self.page.get_by_role("button", name="Stop", exact=True)

    async def sees_word(self, number: int) -> None:
        """Waits for a word of an `OpenAnswer`."""
        await expect(self.conversation).to_contain_text(f"word{number}")

    async def send(self, message: str) -> None:
        await self.page.get_by_role("textbox", name="Message").fill(message)
        await self.page.get_by_role("button", name="Send", exact=True).click()
        await expect(self.conversation.get_by_text(message, exact=True)).to_be_visible()


async def open_window(context: BrowserContext, url: str, username: str, button: str) -> Person:
    person = Person(await context.new_page())
    await person.enter(url, username, button)
    return person
