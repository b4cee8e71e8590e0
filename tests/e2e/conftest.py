"""Fixtures of browser tests: contexts with generous timeouts, and a scripted model."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext

from tests.e2e.person import SLOW_MS, NewContext

LINGER = """(() => {
  const real = window.setTimeout;
  const shown = [1500, 6000, 12000];
  window.setTimeout = (work, ms, ...rest) => real(work, shown.includes(ms) ? ms * 20 : ms, ...rest);
})()"""
"""Makes temporary elements (a toast, "Copied") stay longer: on a slow machine, tests look at them late."""


@pytest.fixture
async def new_context(browser: Browser) -> AsyncGenerator[NewContext]:
    """Opens browser contexts, with the options of Playwright's `new_context`. They are closed when the test is over."""
    opened: list[BrowserContext] = []

    async def new(**options: Any) -> BrowserContext:
        context = await browser.new_context(**options)
        context.set_default_timeout(SLOW_MS)
        await context.add_init_script(LINGER)
        opened.append(context)
        return context

    yield new
    for context in opened:
        await context.close()
