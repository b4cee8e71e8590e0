"""Helpers of the offline tests: creating and changing notes, and inspecting what the browser has stored."""

import asyncio
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page

from tests.e2e.person import SLOW_MS, Person

STORED_LOCALLY = "Offline: kept on this device"


async def delete_note(page: Page) -> None:
    await page.get_by_role("button", name="Note actions").click()
    await page.get_by_role("menuitem", name="Delete").click()


def stored_here(page: Page) -> Locator:
    return page.get_by_role("region", name="Note").get_by_text(STORED_LOCALLY).first


async def write_new(here: Person, title: str, body: str) -> None:
    await here.page.get_by_role("button", name="New note", exact=True).click()
    await here.page.get_by_role("textbox", name="Title").fill(title)
    await type_body(here, body)


async def type_body(here: Person, body: str) -> None:
    await here.body.fill(body)


async def fetch_in(page: Page, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    script = """async ([method, path, body, headers]) => {
        const init = { method, headers: { 'content-type': 'application/json', ...headers } };
        const answer = await fetch(path, body ? { ...init, body: JSON.stringify(body) } : init);
        return await answer.json();
    }"""
    return await page.evaluate(script, [method, path, body, headers])


async def create_note(page: Page, title: str, body: str) -> dict[str, Any]:
    return await fetch_in(page, "POST", "/api/notes", {"title": title, "body": body})


async def change_elsewhere(context: BrowserContext, url: str, note: dict[str, Any], body: str) -> None:
    """Changes a note as another device of the same user would, so that this browser's pages have no such write."""
    answer = await context.request.patch(
        f"{url}/api/notes/{note['id']}",
        data={"body": body},
        headers={"If-Match": f'"{note["version"]}"', "Origin": url},
    )
    assert answer.ok, await answer.text()


async def notes_titled(page: Page, title: str) -> list[dict[str, Any]]:
    """The notes with this title on the server."""
    listed = (await fetch_in(page, "GET", "/api/notes?limit=100"))["notes"]
    found = [note for note in listed if note["title"] == title]
    return [await fetch_in(page, "GET", f"/api/notes/{note['id']}") for note in found]


STORED_IN = """async ([store, text]) => {
    const ready = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)));
    const [{ name }] = await indexedDB.databases();
    const database = await ready(indexedDB.open(name));
    for (;;) {
        const all = await ready(database.transaction(store).objectStore(store).getAll());
        if (text ? all.some((read) => read.note?.body.includes(text)) : all.length === 0) break;
        await new Promise((later) => setTimeout(later, 50));
    }
    database.close();
}"""
NOTHING_STORED = """async () => {
    while ((await indexedDB.databases()).length) await new Promise((later) => setTimeout(later, 50));
}"""


async def nothing_is_left(page: Page) -> None:
    """Waits until all drafts have been saved."""
    await asyncio.wait_for(page.evaluate(STORED_IN, ["drafts", ""]), SLOW_MS / 1000)


async def note_is_cached(page: Page, text: str) -> None:
    """Waits until a note with `text` is in the cache."""
    await asyncio.wait_for(page.evaluate(STORED_IN, ["notes", text]), SLOW_MS / 1000)


async def worker_is_there(page: Page) -> None:
    """Waits until the service worker has cached everything that the page needs to open without the server."""
    await page.evaluate("async () => { await navigator.serviceWorker.ready }")
