"""Fixtures for tests of the whole system: the running system, its address, and a browser."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from standalone.system import System, running
from tests.model_server import ModelServer

FIND_CHROMIUM = Path(__file__).resolve().parents[1] / "scripts" / "chromium.py"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    # a name for this machine that browsers do not treat as localhost
    "--host-resolver-rules=MAP notes.test 127.0.0.1",
]
DEMO = {
    "OPENAI_API_KEY": "",
    "OPENAI_BASE_URL": "",
    "INKSTREAM_MODEL": "",
    "INKSTREAM_DEMO_TOKEN_DELAY_MS": "2",
    "INKSTREAM_PUBLIC_URL": "http://notes.test",
}
"""Selects the demo model, whatever is set in the environment of the tests."""

NO_BROWSER = "There is no browser. "


@pytest.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    """Every service as a process of its own, on free ports."""
    async with running(data_dir=tmp_path_factory.mktemp("system"), environment=DEMO) as started:
        yield started


@pytest.fixture(scope="session")
async def model_server() -> AsyncGenerator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture(scope="session")
async def scripted_system(
    model_server: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[System]:
    """Like `system`, but `model` answers instead of the demo model."""
    environment = DEMO | {
        "OPENAI_BASE_URL": model_server.base_url,
        "INKSTREAM_MODEL": "local",
        "INKSTREAM_MODEL_TIMEOUT_S": "600",
    }
    async with running(data_dir=tmp_path_factory.mktemp("scripted"), environment=environment) as started:
        yield started


@pytest.fixture
async def model(model_server: ModelServer) -> AsyncGenerator[ModelServer]:
    """The model of `scripted_system`: set its `script` or `default`. A test that looks at a streaming answer uses an
    `OpenAnswer`, which ends when the test finishes it."""
    yield model_server
    await model_server.reset()


@pytest.fixture(scope="session")
def url(request: pytest.FixtureRequest) -> str:
    """The page's address: `INKSTREAM_URL`, if set, names a system that is already running, such as the containers."""
    return os.environ.get("INKSTREAM_URL") or request.getfixturevalue("system").url


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """A headless Chromium. Without one the test is skipped, which is reported at the end of the run."""
    found = await asyncio.to_thread(
        subprocess.run, [sys.executable, FIND_CHROMIUM], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip(NO_BROWSER + found.stderr.strip())
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=found.stdout.strip(), args=FLAGS)
        yield chromium
        await chromium.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])]
    if no_browser := next((reason for reason in reasons if NO_BROWSER in reason), None):
        terminalreporter.section("BROWSER TESTS WERE SKIPPED", red=True, bold=True)
        terminalreporter.line(no_browser)
