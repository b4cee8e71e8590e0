"""Accessibility violations that axe finds in a page: all rules in light mode, the colour rules in dark mode."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"]}
COLOURS: dict[str, Any] = {**EVERYTHING, "runOnly": ["color-contrast", "link-in-text-block"]}
RUN = """async (options) => (await axe.run(document, options)).violations.flatMap(({ id, help, nodes }) =>
  nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target.join(" ")}\\n    ${failureSummary}`))"""


async def violations(page: Page) -> list[str]:
    """One text for each element that violates a rule."""
    await page.emulate_media(color_scheme="light")
    found = [f"light: {one}" for one in await _run(page, EVERYTHING)]
    await page.emulate_media(color_scheme="dark")
    found += [f"dark: {one}" for one in await _run(page, COLOURS)]
    await page.emulate_media(color_scheme="light")
    return found


async def _run(page: Page, options: dict[str, Any]) -> list[str]:
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_source())
    return await page.evaluate(RUN, options)


@cache
def _source() -> str:
    return AXE.read_text(encoding="utf-8")
