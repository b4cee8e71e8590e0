"""`page`: how the page handles a long and fast answer: 20,000 tokens of Markdown at 1,000 per second, about ten times
the rate of a fast model, in headless Chromium. Beside it a page that appends the same stream as plain text.

Chromium renders in software, on the same CPUs as everything else here: a busy machine affects every figure.
"""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from bench.harness.application import Application
from bench.harness.child import ROOT
from bench.harness.context import Bench, Row
from bench.harness.markdown import KINDS
from bench.result import Measurement, Target, ratio

PACE = 1_000
LATE_MS = 50
"""The interval above which at least two frames were dropped."""
LIMIT_SECONDS = 120.0
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
CPU_RATIO, LATE, TABLE_LATE = Target("≤", 4, 2), Target("<", 1), Target("<", 1)

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
  window.benchProbe = seen;
}"""
GOES_ON = "[role=log][aria-busy=true]"
ENDED = f"() => !document.querySelector('{GOES_ON}')"
READ = "() => JSON.parse(JSON.stringify(window.benchProbe))"
PLAIN = """async (message) => {
  const response = await fetch("/api/chat", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ message }),
  });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let line = document.body.appendChild(document.createElement("div"));
  let rest = "", follows = false;
  const follow = () => {
    follows = false;
    scrollTo(0, document.body.scrollHeight);
  };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + decoder.decode(value, { stream: true })).split("\\n\\n");
    rest = events.pop();
    for (const event of events) {
      if (!event.includes("event: token\\n")) continue;
      const [first, ...more] = JSON.parse(event.slice(event.indexOf("data: ") + 6)).token.split("\\n");
      line.append(first);
      for (const text of more) {
        line = document.body.appendChild(document.createElement("div"));
        line.append(text);
      }
    }
    if (!follows) requestAnimationFrame(follow);
    follows = true;
  }
}"""
"""A minimal page: appends each event's text to the last line and scrolls to the end."""


@dataclass(frozen=True)
class Seen:
    """`cpu`: seconds of the page's main thread; `second_half`: those of the second half divided by those of the first.
    Frames and tasks in milliseconds."""

    seconds: float
    cpu: float
    second_half: float | None
    tasks: Sequence[float]
    frames: Sequence[float]
    shift: float

    @property
    def late_percent(self) -> float:
        return 100 * sum(frame > LATE_MS for frame in self.frames) / len(self.frames)

    def as_json(self) -> dict[str, Any]:
        return {
            "main_thread_s": self.cpu,
            "seconds": self.seconds,
            "second_half_over_first": self.second_half,
            "long_tasks": len(self.tasks),
            "longest_task_ms": max(self.tasks, default=0.0),
            "late_frames_percent": self.late_percent,
            "longest_frame_ms": max(self.frames, default=0.0),
            "frames": len(self.frames),
            "layout_shift": self.shift,
        }


async def measure(bench: Bench) -> None:
    tokens: int = bench.options.page_tokens
    application = await bench.application()
    seen: dict[str, Seen] = {}
    async with _chromium() as browser:

        async def look(name: str, kind: str, pace: int | None = PACE, size: dict[str, int] = WIDE) -> None:
            seen[name] = await _measured(browser, application, _message(tokens, kind, pace), tokens, pace, size)
            bench.say(f"{name}: {seen[name].cpu:.1f} s of the main thread, {seen[name].late_percent:.1f} % late frames")

        seen["plain"] = await _plain(browser, application, _message(tokens, "mixed", PACE), tokens)
        bench.say(f"plain text appended: {seen['plain'].cpu:.1f} s of the main thread")
        await look("mixed", "mixed")
        await look("table", "table")
        if bench.options.page_all:
            for kind in [kind for kind in KINDS if kind not in seen]:
                await look(kind, kind)
            await look("mixed_phone", "mixed", size=NARROW)
            await look("mixed_full_speed", "mixed", pace=None)
    bench.add(*_measurements(seen))


def _measurements(seen: dict[str, Seen]) -> list[Measurement]:
    plain, mixed, table = seen["plain"], seen["mixed"], seen["table"]
    details = {name: one.as_json() for name, one in seen.items()}
    return [
        ratio("page.cpu_ratio", [mixed.cpu], [plain.cpu], CPU_RATIO, unit="s of the main thread", **details),
        ratio("page.table_cpu_ratio", [table.cpu], [plain.cpu]),
        Measurement("page.late_frames", "%", [mixed.late_percent], LATE, {"plain": plain.late_percent}),
        Measurement("page.table_late_frames", "%", [table.late_percent], TABLE_LATE, {"plain": plain.late_percent}),
    ]


def _message(tokens: int, kind: str, pace: int | None) -> str:
    return f"{tokens} tokens of {kind}" + (f" at {pace} per second" if pace else "")


@asynccontextmanager
async def _window(browser: Browser, application: Application, size: dict[str, int]) -> AsyncGenerator[BrowserContext]:
    """A window of a signed-in user."""
    (user,) = await application.users(1)
    context = await browser.new_context(viewport=cast(Any, size), bypass_csp=True)
    name, _, value = user.cookie.partition("=")
    who = {"name": "inkstream_user", "value": f"{user.id}:bench", "url": application.url}
    await context.add_cookies(cast(Any, [{"name": name, "value": value, "url": application.url}, who]))
    try:
        yield context
    finally:
        await context.close()


async def _measured(
    browser: Browser, application: Application, message: str, tokens: int, pace: int | None, size: dict[str, int]
) -> Seen:
    async with _window(browser, application, size) as context:
        page = await context.new_page()
        await page.goto(application.url)
        if size == NARROW:
            await page.get_by_role("button", name="Assistant").click()
        field = page.get_by_role("textbox", name="Message")
        await field.fill(message)
        await page.evaluate(PROBE)
        loop, clock = asyncio.get_running_loop(), await _clock(page)
        busy, began = await _busy(clock), loop.time()
        await page.get_by_role("button", name="Send", exact=True).click()
        await page.wait_for_selector(GOES_ON)
        half = None
        if pace:
            await asyncio.sleep(tokens / pace / 2)
            half = await _busy(clock)
        # a single attribute: a locator by role would compute the roles of all elements at each poll
        await page.wait_for_function(ENDED, polling=250, timeout=LIMIT_SECONDS * 1000)
        seconds, after = loop.time() - began, await _busy(clock)
        halves = (after - half) / (half - busy) if half is not None else None
        return _seen(seconds, after - busy, halves, await page.evaluate(READ))


async def _plain(browser: Browser, application: Application, message: str, tokens: int) -> Seen:
    """Measures the minimal page, which replaces the content of a page of the same origin."""
    async with _window(browser, application, WIDE) as context:
        page = await context.new_page()
        await page.goto(f"{application.url}/healthz")
        await page.evaluate("() => document.body.replaceChildren()")
        await page.evaluate(PROBE)
        loop, clock = asyncio.get_running_loop(), await _clock(page)
        busy, began = await _busy(clock), loop.time()
        await page.evaluate(PLAIN, message)
        seconds, after = loop.time() - began, await _busy(clock)
        written = len((await page.evaluate("() => document.body.textContent")).split())
        if written < tokens / 2:
            raise RuntimeError(f"the plain page has {written} words of {tokens}")
        return _seen(seconds, after - busy, None, await page.evaluate(READ))


def _seen(seconds: float, cpu: float, halves: float | None, probe: dict[str, Any]) -> Seen:
    return Seen(seconds, cpu, halves, probe["tasks"], probe["frames"], probe["shift"])


async def _clock(page: Page) -> CDPSession:
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    return session


async def _busy(session: CDPSession) -> float:
    """CPU seconds of the page's main thread so far."""
    answer = cast(dict[str, list[dict[str, Any]]], await session.send("Performance.getMetrics"))
    return next(float(metric["value"]) for metric in answer["metrics"] if metric["name"] == "TaskDuration")


@asynccontextmanager
async def _chromium() -> AsyncGenerator[Browser]:
    find = [sys.executable, ROOT / "scripts" / "chromium.py"]
    found = await asyncio.to_thread(subprocess.run, find, capture_output=True, text=True, check=False)
    if found.returncode:
        raise RuntimeError(found.stderr.strip())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found.stdout.strip(), args=FLAGS)
        yield browser
        await browser.close()


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--page-tokens", type=int, default=20_000, metavar="N", help="of an answer")
    parser.add_argument("--page-all", action="store_true", help="more kinds of answers, a phone, full speed")


ROW = Row("page", "The page and a long answer, beside plain text appended", measure, 240, _options)
