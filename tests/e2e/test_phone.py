"""On a phone: one pane at a time, a bar to choose it, the back button, and the whole workflow."""

import re

from playwright.async_api import Page, ViewportSize, expect

from tests.e2e.person import NewContext, new_username, open_window

PHONE: ViewportSize = {"width": 390, "height": 844}
FINGER_PX = 44


async def test_the_whole_loop_on_a_phone(new_context: NewContext, url: str) -> None:
    context = await new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await page.get_by_role("button", name="New note").tap()
    await expect(page.get_by_role("textbox", name="Title")).to_be_focused()
    await page.keyboard.type("Diary")
    await page.keyboard.press("Enter")
    await page.keyboard.type("a secret")
    await _to(page, "Notes")
    await expect(here.note("Diary")).to_contain_text("a secret")

    await _to(page, "Assistant")
    await here.ask("Create a note titled Shopping list with milk and eggs")
    await here.send("Delete the note Diary")
    await _to(page, "Notes")
    await page.get_by_role("button", name=re.compile("^Assistant.*waiting for you$")).tap()
    await here.allow.tap()
    await here.answered()
    await _to(page, "Notes")
    await expect(here.note("Diary")).to_have_count(0)
    await here.note("Shopping list").tap()
    await expect(page.get_by_role("textbox", name="Title")).to_have_value("Shopping list")


async def test_the_way_back_leads_through_the_panes(new_context: NewContext, url: str) -> None:
    """The browser's back button, also as a swipe from the edge, goes through the panes."""
    context = await new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    for title in ("One", "Two"):
        assert (await page.request.post(f"{url}/api/notes", data={"title": title})).ok
    title = page.get_by_role("textbox", name="Title")
    await here.note("One").tap()
    await expect(title).to_have_value("One")
    await page.go_back()
    await expect(here.note("Two")).to_be_visible()
    await here.note("Two").tap()
    await _to(page, "Assistant")
    await page.reload()
    await expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    await page.go_back()
    await expect(title).to_have_value("Two")
    await page.go_back()
    await expect(here.notes).to_be_visible()
    await page.go_forward()
    await expect(title).to_have_value("Two")


async def test_everything_is_large_enough_for_a_finger(new_context: NewContext, url: str) -> None:
    context = await new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await _to(page, "Assistant")
    await here.ask("Create a note titled Shopping list with milk and eggs")
    await here.send("Delete the note Shopping list")
    await expect(here.allow).to_be_visible()
    small = await _too_small(page)
    for pane in ("Notes", "Note"):
        await _to(page, pane)
        small += await _too_small(page)
    assert not small


async def _to(page: Page, pane: str) -> None:
    button = page.get_by_role("navigation", name="Panes").get_by_role("button", name=pane, exact=True)
    await button.tap()
    await expect(button).to_have_attribute("aria-current", "page")


async def _too_small(page: Page) -> list[str]:
    """The names of controls whose touch target is too small, whatever their visible size."""
    return await page.evaluate(
        """(least) => [...document.querySelectorAll("button, [role=button], input")].filter((one) => {
          const seen = one.getBoundingClientRect();
          const around = getComputedStyle(one, "::after");
          const width = Math.max(seen.width, parseFloat(around.width) || 0);
          const height = Math.max(seen.height, parseFloat(around.height) || 0);
          return seen.width > 1 && (width < least || height < least) && getComputedStyle(one).visibility === "visible";
        }).map((one) => one.ariaLabel || one.textContent)""",
        FINGER_PX,
    )
