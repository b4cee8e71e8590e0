"""Takes the pictures in `docs/` from a running page: real services, the demo model, a headless Chromium."""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from standalone.system import running

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
NOTES = [
    ("Reading list", "- The Peregrine\n- A Month in the Country\n- Invisible Cities", ["books"]),
    ("Garden in April", "Sow **peas** and *sweet peas*. Prune the roses before the buds open.", ["garden"]),
    ("Ideas for the talk", "1. Why streams\n2. What a broker gives\n3. A tool call is a user action", ["work"]),
]
TALK = [
    "Create a note titled Shopping list with milk and eggs",
    "Find my note about eggs and add butter to it",
]


async def main() -> None:
    demo = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "INKSTREAM_DEMO_TOKEN_DELAY_MS": "2"}
    with tempfile.TemporaryDirectory(prefix="inkstream-pictures-") as folder:
        async with running(data_dir=Path(folder), environment=demo) as system, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            try:
                await take(browser, system.url)
            finally:
                await browser.close()


def chromium() -> str:
    found = subprocess.run(
        [sys.executable, ROOT / "scripts" / "chromium.py"], capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


async def take(browser: Browser, url: str) -> None:
    context = await browser.new_context(viewport=DESK, color_scheme="light", base_url=url)
    page = await context.new_page()
    await sign_up(page)
    for title, body, tags in NOTES:
        made = await page.request.post("/api/notes", data={"title": title, "body": body, "tags": tags})
        assert made.ok, await made.text()
    for message in TALK:
        await ask(page, message)
    await page.get_by_role("list", name="Notes", exact=True).get_by_text("Shopping list").first.click()
    await page.get_by_role("textbox", name="Body").wait_for()
    await picture(page, "screenshot.png")
    await page.emulate_media(color_scheme="dark")
    await picture(page, "screenshot-dark.png")
    await page.set_viewport_size(PHONE)
    await page.get_by_role("button", name="Assistant").click()
    await picture(page, "screenshot-phone.png")
    await context.close()


async def sign_up(page: Page) -> None:
    await page.goto("/")
    await page.get_by_role("textbox", name="Username").fill("ada")
    await page.get_by_label("Password", exact=True).fill("correct horse battery staple")
    await page.get_by_role("button", name="Create account", exact=True).click()
    await page.get_by_role("list", name="Notes", exact=True).wait_for()


async def ask(page: Page, message: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(message)
    await page.get_by_role("button", name="Send", exact=True).click()
    await page.get_by_role("log", name="Conversation").get_by_text(message, exact=True).wait_for()
    await page.get_by_role("button", name="Send", exact=True).wait_for()


async def picture(page: Page, name: str) -> None:
    """Takes a screenshot after all animations have finished."""
    await page.evaluate("() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => null)))")
    await page.screenshot(path=DOCS / name)
    print(f"docs/{name}")


asyncio.run(main())
