"""A new build of the page is deployed while users have the previous one open."""

import re
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from gateway.main import running
from gateway.settings import Settings
from standalone.paths import WEB_DIST
from standalone.system import System
from tests.e2e.person import NewContext, Person, new_username, open_window

OFFER = "A new version is available."
BUILDS = "caches.keys().then((names) => names.filter((name) => name.startsWith('inkstream-')).length)"
WORKER_CONTROLS_PAGE = "() => navigator.serviceWorker.controller !== null"
IS_NEW = "() => document.querySelector('meta[name=build]')?.content === 'new'"


@pytest.fixture
def web_dir(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WEB_DIST, tmp_path / "web"))


@pytest.fixture
async def door(system: System, web_dir: Path) -> AsyncGenerator[str]:
    """The address of a separate gateway that serves the page in `web_dir`."""
    settings = Settings(
        nats_url=system.nats.url("gateway"), database_url=system.postgres.dsn("accounts"), port=0, web_dir=web_dir
    )
    async with running(settings) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def context(new_context: NewContext, door: str) -> BrowserContext:
    return await new_context(base_url=door)


def renew(web_dir: Path) -> None:
    """Simulates another build in the folder: renames all files with a hash in their name."""
    parts = {file.name: f"{file.stem}new{file.suffix}" for file in (web_dir / "assets").iterdir()}
    either = re.compile("|".join(re.escape(name) for name in parts))
    for file in [*web_dir.rglob("*.js"), *web_dir.rglob("*.css"), web_dir / "index.html"]:
        file.write_text(either.sub(lambda found: parts[found[0]], file.read_text()))
    for name, new in parts.items():
        (web_dir / "assets" / name).rename(web_dir / "assets" / new)
    index, worker = web_dir / "index.html", web_dir / "sw.js"
    index.write_text(index.read_text().replace("<head>", '<head><meta name="build" content="new" />'))
    worker.write_text(re.sub(r'CACHE = "inkstream-\w+', r"\g<0>new", worker.read_text()))


async def test_tabs_of_the_build_before_go_on_and_are_offered_the_new_one(
    context: BrowserContext, door: str, web_dir: Path
) -> None:
    writing = await open_window(context, door, new_username(), "Create account")
    await writing.page.wait_for_function(WORKER_CONTROLS_PAGE)
    looking = Person(await context.new_page())
    await looking.page.goto("/")
    await expect(looking.notes).to_be_visible()
    await context.route("**/api/notes", _no_writes)
    await _write(writing, "Draft", "not lost")
    renew(web_dir)

    later = Person(await context.new_page())
    await later.page.goto("/")
    await expect(later.notes).to_be_visible()
    assert await later.page.evaluate(IS_NEW)
    for here in (looking, writing):
        await expect(here.page.get_by_text(OFFER)).to_be_visible()
        assert not await here.page.evaluate(IS_NEW)
    assert await later.page.evaluate(BUILDS) == 2
    await _use_what_was_not_loaded_yet(looking)
    await expect(later.page.get_by_text(OFFER)).to_have_count(0)

    await context.unroute("**/api/notes", _no_writes)
    await writing.page.get_by_role("button", name="Reload").click()
    await writing.page.wait_for_function(IS_NEW)
    await expect(writing.note("Draft")).to_contain_text("not lost")
    await looking.page.close()
    await writing.page.reload()
    await _until_one_build_is_cached(writing.page)


async def test_without_a_worker_a_part_that_is_gone_is_explained(
    new_context: NewContext, door: str, web_dir: Path
) -> None:
    context = await new_context(base_url=door, service_workers="block")
    here = await open_window(context, door, new_username(), "Create account")
    await _write(here, "Diary", "some words")
    await expect(here.note("Diary")).to_have_count(1)
    renew(web_dir)
    await here.page.get_by_role("button", name="Preview").click()
    await expect(here.page.get_by_text("The preview could not be opened.")).to_be_visible()
    await here.page.get_by_role("button", name="Reload").click()
    await here.page.wait_for_function(IS_NEW)  # the note is shown as a preview again
    await expect(here.page.locator(".preview .prose")).to_have_text("some words")


async def test_a_page_whose_parts_are_gone_is_loaded_once_more_and_then_says_so(
    context: BrowserContext, web_dir: Path
) -> None:
    page = await context.new_page()
    loads: list[str] = []
    page.on("request", lambda request: loads.append(request.url) if request.is_navigation_request() else None)
    entry = re.search(r'src="(/assets/[^"]+)"', (web_dir / "index.html").read_text())
    assert entry
    script = web_dir / entry[1].removeprefix("/")
    script.rename(web_dir / "away.js")
    await page.goto("/")
    await expect(page.get_by_role("alert")).to_contain_text("could not be loaded completely")
    assert len(loads) == 2
    (web_dir / "away.js").rename(script)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("button", name="Create account")).to_be_visible()
    assert len(loads) == 3


async def test_a_page_that_is_being_built_is_shown_as_it_was(context: BrowserContext, door: str, web_dir: Path) -> None:
    here = await open_window(context, door, new_username(), "Create account")
    await here.page.wait_for_function(WORKER_CONTROLS_PAGE)
    (web_dir / "index.html").unlink()
    await here.page.reload()
    await expect(here.notes).to_be_visible()


async def _use_what_was_not_loaded_yet(here: Person) -> None:
    """Uses everything that is loaded lazily: the text field, the preview, the history and the Markdown of answers."""
    page = here.page
    await here.ask("Create a note titled Shopping list with milk and eggs")
    await expect(here.conversation.locator(".prose:not(.plain)").first).to_be_visible()
    await here.note("Shopping list").click()
    await expect(page.locator(".cm-content")).to_be_visible()
    await page.get_by_role("button", name="Preview").click()
    await expect(page.locator(".preview .prose")).to_contain_text("milk")
    await page.get_by_role("button", name="History").click()
    await expect(page.get_by_role("list", name="Versions")).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_count(0)


async def _write(here: Person, title: str, text: str) -> None:
    await here.page.get_by_role("button", name="New note").first.click()
    await here.page.get_by_role("textbox", name="Title").fill(title)
    await here.body.fill(text)


async def _no_writes(route: Route) -> None:
    if route.request.method == "POST":
        await route.abort()
    else:
        await route.fallback()


async def _until_one_build_is_cached(page: Page) -> None:
    await page.wait_for_function(f"async () => await {BUILDS} === 1")
