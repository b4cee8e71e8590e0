"""The page works under a content security policy without exceptions, and the browser logs no errors."""

import pytest
from playwright.async_api import ConsoleMessage, ViewportSize, expect

from tests.e2e.person import NewContext, new_username, open_window
from tests.e2e.test_accessibility import DESK, PHONE
from tests.e2e.tour import PhoneTour, Tour

OF_THE_NETWORK = ("Failed to load resource", "WebSocket connection to")
"""What the browser itself logs while the tour is signed out, offline, or a stale write is refused."""
LOOKS = """() => {
  const of = (selector) => getComputedStyle(document.querySelector(selector));
  return {
    laidOut: of(".cm-scroller").display,
    ownCaret: of(".cm-content").caretColor === of("h1").color,
    ownPadding: of(".cm-line").padding,
    heading: parseFloat(of(".cm-line:first-child span:not(:empty)").fontSize) > parseFloat(of(".cm-content").fontSize),
    madeInPage: document.querySelectorAll("style").length,
  };
}"""


@pytest.mark.parametrize(("kind", "size"), [(Tour, DESK), (PhoneTour, PHONE)], ids=["desk", "phone"])
async def test_no_view_breaks_the_policy_or_fails(
    new_context: NewContext, url: str, kind: type[Tour], size: ViewportSize
) -> None:
    context = await new_context(base_url=url, viewport=size)
    errors: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(OF_THE_NETWORK):
            errors.append(f"{message.text} ({message.location})")

    context.on("console", listen)
    context.on("weberror", lambda error: errors.append(str(error.error)))

    async def look(_: str) -> None:
        pass

    await kind(await context.new_page(), look).everything()
    assert errors == []


async def test_the_editor_has_its_looks_without_a_style_sheet_in_the_page(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.keyboard.press("n")
    await expect(here.page.locator(".cm-content")).to_be_visible()
    await here.body.fill("# A heading\n\nand words")
    await expect(here.page.locator(".cm-line").first).to_have_text("A heading")
    assert await here.page.evaluate(LOOKS) == {
        "laidOut": "flex",
        "ownCaret": True,
        "ownPadding": "0px",
        "heading": True,
        "madeInPage": 0,
    }
