"""`python -m bench.page`: how the page bears a long answer that comes fast. The real stack and Chromium, a model server
that streams 20,000 tokens of Markdown; told are the browser's long tasks, its late frames and its layout shifts. The
first row is the measure of the machine: the same stream, read by another client beside a page that draws a number.

The browser draws on the same CPUs as everything else here, in software: a busy machine shows in every figure.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
from playwright.async_api import CDPSession, Page, async_playwright

from bench import answers
from bench.application import application
from bench.table import aligned
from tests.e2e.person import new_username, open_window
from tests.model_server.http import Request
from tests.model_server.server import ModelServer
from tests.model_server.steps import Step, Text

TOKENS = 20_000
QUICK, PACE = 200.0, 1_000.0
"""Tokens a second: twice and some ten times what a quick model gives."""
LIMIT_SECONDS = 120.0
FIND_CHROMIUM = Path(__file__).resolve().parents[1] / "scripts" / "chromium.py"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

PROBE = """() => {
  const seen = { tasks: [], frames: [], shift: 0 };
  new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((one) => one.duration)))
    .observe({ type: "longtask" });
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) seen.shift += one.value;
  }).observe({ type: "layout-shift" });
  let last = performance.now();
  const frame = (now) => {
    seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.inkstreamProbe = seen;
}"""
GOES_ON = "[role=log][aria-busy=true]"
ENDED = f"() => !document.querySelector('{GOES_ON}')"
READ = "() => JSON.parse(JSON.stringify(window.inkstreamProbe))"
HEAD = "answer|seconds|CPU|2nd half/1st|tasks > 50 ms|longest|frames > 50 ms|longest|frames|layout shift"


COUNTER = """() => {
  const number = document.createElement("p");
  document.body.append(number);
  const count = (n) => {
    number.textContent = String(n);
    requestAnimationFrame(() => count(n + 1));
  };
  count(0);
}"""


async def main() -> None:
    print(f"{os.cpu_count()} CPUs, {TOKENS:,} tokens of Markdown", flush=True)
    rows = [tuple(HEAD.split("|"))]
    async with asyncio.timeout(900), ModelServer(default=_asked_for) as model:
        with tempfile.TemporaryDirectory(prefix="inkstream-bench-") as folder:
            async with application(Path(folder) / "data", model.base_url) as started, _chromium() as browser:
                rows.append(await _beside(browser, started.url, f"mixed at {PACE:g}"))
                rows.append(await _measured(browser, started.url, f"mixed at {QUICK:g}", WIDE))
                rows += [await _measured(browser, started.url, f"{name} at {PACE:g}", WIDE) for name in answers.KINDS]
                rows.append(await _measured(browser, started.url, "mixed at full speed", WIDE))
                rows.append(await _measured(browser, started.url, f"mixed at {PACE:g}", NARROW))
    print(aligned(rows))
    print("CPU: of the page's main thread; 2nd half/1st: of that, 1.0 where work is in proportion to what is new")


def _asked_for(request: Request) -> Step:
    messages: list[dict[str, Any]] = request.json.get("messages", [])
    message = str(messages[-1].get("content"))
    return Text(answers.answer(message.partition(" at ")[0], TOKENS), _pace(message))


def _pace(message: str) -> float | None:
    """Tokens a second; None at full speed."""
    pace = message.partition(" at ")[2]
    return None if pace == "full speed" else float(pace)


async def _measured(browser: Any, url: str, message: str, size: dict[str, int]) -> tuple[str, ...]:
    """One answer in a new window of a new person."""
    context = await browser.new_context(viewport=size)
    try:
        person = await open_window(context, url, new_username(), "Create account")
        page = person.page
        if size == NARROW:
            await page.get_by_role("button", name="Assistant").click()
        await page.evaluate(PROBE)
        loop = asyncio.get_running_loop()
        clock = await _clock(page)
        busy, began = await _busy(clock), loop.time()
        await person.send(message)
        half = None
        if (pace := _pace(message)) is not None:
            await asyncio.sleep(TOKENS / pace / 2)
            half = await _busy(clock)
        await _ended(page)
        seconds, after = loop.time() - began, await _busy(clock)
        seen = await page.evaluate(READ)
    finally:
        await context.close()
    ratio = f"{(after - half) / (half - busy):.1f}" if half else ""
    return _row(message + (", phone" if size == NARROW else ""), seconds, after - busy, ratio, seen)


async def _beside(browser: Any, url: str, message: str) -> tuple[str, ...]:
    context = await browser.new_context(viewport=WIDE)
    try:
        page = (await open_window(context, url, new_username(), "Create account")).page
        cookies = {cookie["name"]: cookie["value"] for cookie in await context.cookies()}
        await page.evaluate(PROBE)
        await page.evaluate(COUNTER)
        loop = asyncio.get_running_loop()
        clock = await _clock(page)
        busy, began = await _busy(clock), loop.time()
        async with (
            httpx.AsyncClient(base_url=url, cookies=cookies, timeout=LIMIT_SECONDS) as http,
            http.stream("POST", "/api/chat", json={"message": message}) as stream,
        ):
            stream.raise_for_status()
            async for _ in stream.aiter_raw():
                pass
        seconds, after = loop.time() - began, await _busy(clock)
        return _row("none, " + message, seconds, after - busy, "", await page.evaluate(READ))
    finally:
        await context.close()


def _row(name: str, seconds: float, cpu: float, ratio: str, seen: dict[str, Any]) -> tuple[str, ...]:
    late = [gap for gap in seen["frames"] if gap > 50]
    return (
        name,
        f"{seconds:.1f}",
        f"{cpu:.1f} s",
        ratio,
        f"{len(seen['tasks'])}",
        f"{max(seen['tasks'], default=0):.0f} ms",
        f"{len(late)}",
        f"{max(seen['frames'], default=0):.0f} ms",
        f"{len(seen['frames'])}",
        f"{seen['shift']:.4f}",
    )


async def _ended(page: Page) -> None:
    """Asks the page for one attribute. A locator by role would compute the roles of everything in it twice a second,
    which takes as long as many frames once the answer is long."""
    await page.wait_for_selector(GOES_ON)
    await page.wait_for_function(ENDED, polling=250, timeout=LIMIT_SECONDS * 1000)


async def _clock(page: Page) -> CDPSession:
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    return session


async def _busy(session: CDPSession) -> float:
    """CPU seconds of the page's main thread so far."""
    answer = cast(dict[str, list[dict[str, Any]]], await session.send("Performance.getMetrics"))
    return next(float(metric["value"]) for metric in answer["metrics"] if metric["name"] == "TaskDuration")


@asynccontextmanager
async def _chromium() -> AsyncGenerator[Any]:
    found = await asyncio.to_thread(
        subprocess.run, [sys.executable, FIND_CHROMIUM], capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise SystemExit(found.stderr.strip())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found.stdout.strip(), args=FLAGS)
        yield browser
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
