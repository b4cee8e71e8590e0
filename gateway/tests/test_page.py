"""The built page: its files, its addresses, how long each may be kept, and what it may load."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from gateway.main import running

from .test_accounts import assert_problem

SCRIPT = "console.log('ink');" * 100


@pytest.fixture(scope="module")
def web_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web") / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Inkstream</title>")
    (folder / "assets" / "index-4f2a.js").write_text(SCRIPT)
    (folder / "icon.png").write_bytes(b"\x89PNG")
    (folder.parent / "secret.txt").write_text("secret")
    return folder


@pytest.fixture(scope="module")
async def page(settings, agent_for_session, web_dir: Path) -> AsyncGenerator[httpx.AsyncClient]:
    async with (
        running(settings.model_copy(update={"web_dir": web_dir})) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        yield http


@pytest.mark.parametrize("path", ["/", "/index.html", "/chat", "/notes", "/notes/01a1f7fe-754d-75b5-8540-b7ce969db343"])
async def test_the_pages_own_addresses_are_the_page(page, path: str) -> None:
    answer = await page.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "Inkstream" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


async def test_nothing_inline_and_nothing_from_elsewhere_runs(page) -> None:
    header = (await page.get("/")).headers["content-security-policy"]
    assert "unsafe" not in header
    policy = dict(part.split(" ", 1) for part in header.split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"


async def test_hashed_files_are_kept_for_good_and_sent_small(page) -> None:
    answer = await page.get("/assets/index-4f2a.js")
    assert answer.text == SCRIPT
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(SCRIPT) / 5
    plain = await page.get("/assets/index-4f2a.js", headers={"Accept-Encoding": "identity"})
    assert (plain.text, "content-encoding" in plain.headers) == (SCRIPT, False)


async def test_what_is_known_is_not_sent_again(page) -> None:
    first = await page.get("/")
    again = await page.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_new_build_is_seen(page, web_dir: Path) -> None:
    (web_dir / "version.json").write_text("1")
    assert (await page.get("/version.json")).text == "1"
    (web_dir / "version.json").write_text("22")
    assert (await page.get("/version.json")).text == "22"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/missing.js",
            "/assets/",
            "/assets/missing.js",
            "/..%2fsecret.txt",
            "/%2e%2e/secret.txt",
            "/a%00b",
            "/api/x",
        ),
        *("/" + "x" * 256, "/assets/" + "x" * 256 + ".js", "/" + "x/" * 10_000, "/%ff", "/%ed%a0%80"),
    ],
)
async def test_nothing_else_is_there(page, path: str) -> None:
    assert_problem(await page.get(path), 404, "not_found")


async def test_a_person_with_a_wrong_address_gets_the_page(page) -> None:
    for path in ("/nonsense", "/assets/of-an-older-build.js"):
        answer = await page.get(path, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert answer.status_code == 404
        assert "Inkstream" in answer.text
        assert answer.headers["cache-control"] == "no-store"
    assert_problem(await page.get("/api/nonsense", headers={"accept": "text/html"}), 404, "not_found")


async def test_only_the_head_may_be_asked_for(page) -> None:
    answer = await page.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
