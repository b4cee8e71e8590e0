"""Very long words and right-to-left text cause no horizontal overflow, at any size."""

from typing import Any

import pytest
from playwright.async_api import Page, ViewportSize

from tests.e2e.person import NewContext
from tests.e2e.tour import PhoneTour, Tour

LONG = "Donaudampfschifffahrtsgesellschaft" * 5
OTHER = "Rindfleischetikettierungsueberwachung" * 5
ARABIC = "قائمة التسوق: حليب وبيض وخبز وزبدة وكل ما نحتاجه لعطلة نهاية الأسبوع"
ADDRESS = f"https://example.org/{LONG}"
NOTES: list[dict[str, Any]] = [
    {"title": f"Reading {OTHER}", "body": OTHER, "tags": [LONG[:50], OTHER[:50]]},
    {
        "title": LONG,
        "body": f"# {LONG}\n\n{ADDRESS}\n\n```\n{LONG}\n```\n\n| {LONG} | b |\n|---|---|\n| 1 | `{LONG}` |\n",
    },
    {"title": ARABIC, "body": f"# {ARABIC}\n\n- [ ] {ARABIC}\n- {ARABIC}\n\n> {ARABIC}", "tags": ["تسوق"]},
]
SIZES: list[ViewportSize] = [
    {"width": 1440, "height": 900},
    {"width": 1024, "height": 768},
    {"width": 390, "height": 844},
]
SIDEWAYS = """() => {
  const page = document.scrollingElement;
  const found = page.scrollWidth > innerWidth ? [`the page is ${page.scrollWidth} wide`] : [];
  for (const one of document.querySelectorAll("body *")) {
    const { left, right, width, height } = one.getBoundingClientRect();
    if (width < 2 || height < 2 || (left >= -1 && right <= innerWidth + 1) || one.closest("svg")) continue;
    let box = one.parentElement;
    while (box && getComputedStyle(box).overflowX === "visible") box = box.parentElement;
    if (!box || box === document.body) found.push(`${one.tagName}.${one.className}: ${left} to ${right}`);
  }
  // what is cut has to end in dots, or be able to scroll
  for (const one of document.querySelectorAll("main, section, main *, dialog, dialog *")) {
    const { overflowX, textOverflow } = getComputedStyle(one);
    const small = one.matches(".visually-hidden, input, [aria-hidden]");
    if (overflowX === "hidden" && textOverflow !== "ellipsis" && !small && one.scrollWidth > one.clientWidth + 1)
      found.push(`${one.tagName}.${one.className} hides ${one.scrollWidth - one.clientWidth} pixels`);
  }
  return found;
}"""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size["width"]))
async def test_nothing_leaves_the_page_sideways(new_context: NewContext, url: str, size: ViewportSize) -> None:
    context = await new_context(base_url=url, viewport=size, reduced_motion="reduce", service_workers="block")
    found: list[str] = []
    page = await context.new_page()

    async def look(view: str) -> None:
        found.extend(f"{view}: {one}" for one in await page.evaluate(SIDEWAYS))

    tour = (PhoneTour if size["width"] < 900 else Tour)(page, look, NOTES)
    await tour.everything()
    await _say_long_things(page)
    await look("long message")
    assert not found, "\n".join(found)


async def _say_long_things(page: Page) -> None:
    await page.goto("/chat")
    for message in (f"Create a note titled {LONG} with {LONG}", ARABIC):
        await page.get_by_role("textbox", name="Message").fill(message)
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Answer again").first.wait_for()
        await page.get_by_role("button", name="Send", exact=True).wait_for()
    for card in await page.get_by_role("button", name="details").all():
        await card.click()
