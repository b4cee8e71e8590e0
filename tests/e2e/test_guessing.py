"""What a person sees of the delays between attempts to sign in."""

import re

from playwright.async_api import Page, expect

from tests.e2e.person import NewContext, new_username

RECORD_TIMER = """() => {
  window.seen = [];
  const look = () => window.seen.push(document.querySelector("[role=timer]")?.textContent ?? "");
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


async def try_password(page: Page) -> int:
    async with page.expect_response("**/api/auth/login") as response:
        await page.get_by_role("button", name="Sign in").click()
    return (await response.value).status


async def test_the_page_says_how_long_to_wait_and_when_it_is_over(new_context: NewContext, url: str) -> None:
    page = await (await new_context(base_url=url)).new_page()
    await page.goto("/")
    await page.get_by_role("textbox", name="Username").fill(new_username())
    await page.get_by_label("Password", exact=True).fill("not the password")
    assert await try_password(page) == 401
    await expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")
    await page.evaluate(RECORD_TIMER)
    while await try_password(page) == 401:  # each wrong one makes the next delay longer than this loop takes
        continue
    await page.wait_for_function("window.seen.some(Boolean)")
    await expect(page.get_by_role("timer")).to_have_count(0)
    seen = [text for text in await page.evaluate("window.seen") if text]
    assert seen
    assert all(re.fullmatch(r"Try again in \d+ (second|minute)s?\.", text) for text in seen)
    assert await try_password(page) == 401
