"""Runs Lighthouse on the built page: signed out and signed in, as a phone on a slow network and as a desktop.

Fails if accessibility or best practices are below 100, or performance below 95 (the median of three runs).
Lighthouse itself is fetched by npx at the version below, so that nobody else has to install it.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from chromium import find
from playwright.async_api import Page, async_playwright

from standalone.ports import free_port
from standalone.system import running

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
LIGHTHOUSE = "lighthouse@13.5.0"
RUNS = 3
AT_LEAST = {"performance": 95, "accessibility": 100, "best-practices": 100}
FORMS = {"phone": (), "desk": ("--preset=desktop",)}
DEMO = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "INKSTREAM_DEMO_TOKEN_DELAY_MS": "2"}
NOTES = 40


@dataclass
class Report:
    """The results of several runs on the same page."""

    name: str
    runs: list[dict[str, Any]]

    def score(self, category: str) -> int:
        return round(median(100 * run["categories"][category]["score"] for run in self.runs))

    def seconds(self, audit: str) -> float:
        return median(run["audits"][audit]["numericValue"] for run in self.runs) / 1000

    def row(self) -> str:
        scores = " | ".join(str(self.score(category)) for category in AT_LEAST)
        shown, blocked = self.seconds("largest-contentful-paint"), self.seconds("total-blocking-time")
        shift = median(run["audits"]["cumulative-layout-shift"]["numericValue"] for run in self.runs)
        return f"| {self.name} | {scores} | {shown:.2f} s | {1000 * blocked:.0f} ms | {shift:.3f} |"

    def failures(self) -> list[str]:
        """The reasons why the page fails; empty if it passes."""
        low = [category for category, least in AT_LEAST.items() if self.score(category) < least]
        return [f"{self.name}: {category}: {why}" for category in low for why in self._found_in(category)]

    def _found_in(self, category: str) -> list[str]:
        run = self.runs[-1]
        audits = [run["audits"][one["id"]] for one in run["categories"][category]["auditRefs"]]
        return [
            f"{audit['title']} {audit.get('displayValue', '')}"
            for audit in audits
            if audit["score"] is not None and audit["score"] < 0.9
        ]


async def main() -> None:
    chromium = await asyncio.to_thread(find)
    if chromium is None:
        sys.exit("no Chromium: `python3 scripts/set_up.py browser` gets one")
    with tempfile.TemporaryDirectory(prefix="inkstream-lighthouse-") as folder:
        async with running(data_dir=Path(folder, "data"), environment=DEMO) as system, async_playwright() as playwright:
            port = free_port()
            context = await playwright.chromium.launch_persistent_context(
                Path(folder, "browser"),
                executable_path=chromium,
                args=["--no-sandbox", "--disable-gpu", f"--remote-debugging-port={port}"],
                base_url=system.url,
            )
            reports = await measured("signed out", system.url, port)
            await sign_up(context.pages[0])
            reports += await measured("signed in", system.url, port)
            await context.close()
    tell(reports)


async def measured(name: str, url: str, port: int) -> list[Report]:
    reports: list[Report] = []
    for form, options in FORMS.items():
        runs = [await asyncio.to_thread(lighthouse, url, port, options) for _ in range(RUNS)]
        reports.append(Report(f"{name}, {form}", runs))
    return reports


def lighthouse(url: str, port: int, options: tuple[str, ...]) -> dict[str, Any]:
    command = [BIN / "npx", "--yes", LIGHTHOUSE, url, f"--port={port}", "--output=json", "--quiet", *options]
    only = f"--only-categories={','.join(AT_LEAST)}"
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([*command, only], capture_output=True, text=True, env=environment, timeout=180)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


async def sign_up(page: Page) -> None:
    """Creates an account with enough notes to fill the list, and an answer with a tool card."""
    await page.goto("/")
    await page.get_by_role("textbox", name="Username").fill("ada")
    await page.get_by_label("Password", exact=True).fill("correct horse battery staple")
    await page.get_by_role("button", name="Create account", exact=True).click()
    await page.get_by_role("list", name="Notes", exact=True).wait_for()
    for number in range(NOTES):
        body = "Ink on paper. " * 20
        made = await page.request.post("/api/notes", data={"title": f"Note {number}", "body": body, "tags": ["ink"]})
        assert made.ok, await made.text()
    await page.goto("about:blank")


def tell(reports: list[Report]) -> None:
    print("| page | performance | accessibility | best practices | largest paint | blocked | shift |")
    print("|---|---|---|---|---|---|---|")
    for report in reports:
        print(report.row())
    if failures := [failure for report in reports for failure in report.failures()]:
        sys.exit("\n".join(failures))


asyncio.run(main())
