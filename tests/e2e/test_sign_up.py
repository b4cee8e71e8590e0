"""Where sign-up is closed: the first account, those that the operator makes, and where a user is signed in."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from standalone.system import System, running
from tests.conftest import DEMO
from tests.e2e.person import PASSWORD, NewContext, new_username


@pytest.fixture(scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("closed")


@pytest.fixture(scope="module")
async def closed(folder: Path) -> AsyncGenerator[System]:
    async with running(data_dir=folder, environment=DEMO | {"INKSTREAM_SIGN_UP": "closed"}) as started:
        yield started


async def administer(folder: Path, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "standalone.admin", *arguments),
        env=os.environ | {"DATA_DIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def enter(page: Page, name: str, password: str, button: str) -> None:
    await page.get_by_role("textbox", name="Username").fill(name)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name=button).click()
    await expect(page.get_by_role("list", name="Notes", exact=True)).to_be_visible()


async def test_the_first_account_is_created_on_the_page_and_further_ones_by_the_operator(
    closed: System, folder: Path, new_context: NewContext
) -> None:
    owner = await (await new_context(base_url=closed.url)).new_page()
    await owner.goto("/")
    await expect(owner.get_by_text("Nobody has an account here yet")).to_be_visible()
    name = new_username()
    await enter(owner, name, PASSWORD, "Create account")

    stranger = await (await new_context(base_url=closed.url)).new_page()
    await stranger.goto("/")
    await expect(stranger.get_by_text("New accounts are made by whoever runs this server.")).to_be_visible()
    await expect(stranger.get_by_role("button", name="Create account")).to_have_count(0)
    friend = new_username()
    added = re.search(r"password (\S+)", await administer(folder, "add", friend))
    assert added
    await enter(stranger, friend, added[1], "Sign in")

    other = await (await new_context(base_url=closed.url, user_agent="Mozilla/5.0 (iPhone) Safari/604.1")).new_page()
    await other.goto("/")
    await enter(other, name, PASSWORD, "Sign in")
    await owner.get_by_role("button", name="Settings").click()
    devices = owner.get_by_role("region", name="Where you are signed in")
    await expect(devices.get_by_role("listitem")).to_have_count(2)
    await expect(devices.get_by_role("listitem").filter(has_text="this browser")).to_have_count(1)
    await devices.get_by_role("button", name="Sign out Safari on iPhone").click()
    await expect(devices.get_by_role("listitem")).to_have_count(1)
    await expect(other.get_by_text("You were signed out. Sign in to continue.")).to_be_visible()
    await expect(stranger.get_by_role("list", name="Notes", exact=True)).to_be_visible()
