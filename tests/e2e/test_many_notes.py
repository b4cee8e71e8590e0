"""A virtual list of a thousand notes: all can be reached, few are rendered at a time."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.client import signed_up
from tests.e2e.person import SLOW_MS, NewContext, Person, new_username, open_window

MANY = 1000
AT_MOST = 40
"""Limit of the rendered rows, at any scroll position."""


@pytest.fixture(scope="module")
async def username(url: str) -> AsyncGenerator[str]:
    """A user with a thousand notes; "Note 0000" is the oldest."""
    name = new_username()
    async with signed_up(url, name) as client:
        for first in range(0, MANY, 20):
            await asyncio.gather(*(_create(client, number) for number in range(first, first + 20)))
    yield name


async def _create(client: httpx.AsyncClient, number: int) -> None:
    tags = ["tenth"] if number % 10 == 0 else []
    answer = await client.post("/api/notes", json={"title": f"Note {number:04}", "body": "text", "tags": tags})
    assert answer.status_code == 201, answer.text


async def test_they_scroll_by_and_few_are_in_the_page(new_context: NewContext, url: str, username: str) -> None:
    context = await new_context()
    here = await open_window(context, url, username, "Sign in")
    rows = here.notes.get_by_role("listitem")
    await expect(rows.first).to_be_visible()
    seen = await _scrolled_to_the_end(here.page, rows)
    assert len(seen) == MANY
    assert await rows.count() <= AT_MOST
    await expect(rows.last).to_have_attribute("aria-setsize", str(MANY))
    await expect(rows.last).to_have_attribute("aria-posinset", str(MANY))


async def test_a_search_says_how_many_there_are_and_has_all_of_them(
    new_context: NewContext, url: str, username: str
) -> None:
    context = await new_context()
    here = await open_window(context, url, username, "Sign in")
    await here.page.get_by_role("searchbox", name="Search notes").fill("text")
    await expect(here.page.get_by_text("1,000 notes", exact=True)).to_be_visible()
    assert len(await _scrolled_to_the_end(here.page, here.notes.get_by_role("listitem"))) == MANY
    await here.page.get_by_role("searchbox", name="Search notes").fill("tenth")
    await expect(here.page.get_by_text("100 notes", exact=True)).to_be_visible()


async def test_keys_go_from_note_to_note_however_far(new_context: NewContext, url: str, username: str) -> None:
    context = await new_context()
    here = await open_window(context, url, username, "Sign in")
    keys, rows = here.page.keyboard, here.notes.get_by_role("listitem")
    await rows.first.get_by_role("link").focus()
    for _ in range(45):
        await keys.press("ArrowDown")
    focused = here.notes.locator("li:has(a:focus)")
    await expect(focused).to_have_attribute("aria-posinset", "46")
    await expect(focused).to_be_in_viewport()
    await here.page.mouse.move(*await _middle(here))
    await here.page.mouse.wheel(0, -5000)
    await expect(focused).not_to_be_in_viewport()
    await keys.press("ArrowUp")
    await expect(focused).to_have_attribute("aria-posinset", "45")
    await expect(focused).to_be_in_viewport()
    await keys.press("Home")
    await expect(focused).to_have_attribute("aria-posinset", "1")


async def _middle(here: Person) -> tuple[float, float]:
    box = await here.page.get_by_role("region", name="List").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def _scrolled_to_the_end(page: Page, rows: Locator) -> set[str]:
    """Scrolls to the end; returns the titles seen on the way."""
    seen: set[str] = set()
    await rows.first.hover()
    async with asyncio.timeout(SLOW_MS / 1000):
        while len(seen) < MANY:
            assert await rows.count() <= AT_MOST
            seen.update(await rows.locator(".title").all_inner_texts())
            await page.mouse.wheel(0, 600)
            await page.evaluate("() => new Promise(requestAnimationFrame)")
    return seen
