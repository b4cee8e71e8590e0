"""Import and export over HTTP, answered by the real notes service."""

import asyncio
import io
from collections.abc import AsyncGenerator
from random import Random
from zipfile import ZipFile

import httpx
import pytest
from websockets.asyncio.client import connect

import notes_service.exports
from contracts.ids import new_id
from gateway.main import running
from servicekit.rpc import chunked
from standalone.testing import SLOW_SECONDS, until

from .test_accounts import assert_problem
from .test_notes import create

pytestmark = pytest.mark.usefixtures("notes_service")


async def finished(person, answer: httpx.Response) -> dict:
    assert answer.status_code == 202, answer.text
    url = f"/api/notes/imports/{answer.json()['import_id']}"

    async def look() -> dict | None:
        status = (await person.http.get(url)).json()
        return status if status["status"] in ("completed", "failed") else None

    return await until("an import that has ended", look)


async def test_out_and_in_again_is_the_same(ada, bob) -> None:
    notes = [await create(ada, title=f"Note {n}", body="text " * n, tags=["t"]) for n in range(30)]
    answer = await ada.http.get("/api/notes/export")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="inkstream-notes-')
    assert len(ZipFile(io.BytesIO(answer.content)).namelist()) == 30
    upload = {"file": ("notes.zip", answer.content)}
    status = await finished(ada, await ada.http.post("/api/notes/import", files=upload))
    assert status == {
        **{"status": "completed", "processed": 30, "total": 30, "created": 0, "updated": 0, "unchanged": 30},
        **{"errors": [], "warnings": []},
    }
    for note in notes:
        await ada.http.delete(f"/api/notes/{note['id']}?permanent=true")
    status = await finished(ada, await ada.http.post("/api/notes/import", files=upload))
    assert status["created"] == 30
    for note in notes:
        assert (await ada.http.get(f"/api/notes/{note['id']}")).json() == note
    assert ZipFile(io.BytesIO((await bob.http.get("/api/notes/export")).content)).namelist() == []


@pytest.mark.parametrize("chunks", [0, 2])
async def test_an_export_that_breaks_off_is_no_whole_file(ada, monkeypatch: pytest.MonkeyPatch, chunks: int) -> None:
    """The replica that streams it dies: before the first chunk that is a problem, later the download breaks off."""

    async def dying(_: object) -> AsyncGenerator[bytes]:
        for _ in range(chunks):
            yield b"x" * 100_000
        raise asyncio.CancelledError

    monkeypatch.setattr(notes_service.exports, "zipped", dying)
    monkeypatch.setattr(chunked, "ANSWER_SECONDS", 0.5)  # no answer will come
    if chunks == 0:
        assert_problem(await ada.http.get("/api/notes/export"), 503, "service_unavailable")
        return
    with pytest.raises(httpx.TransportError) as broken:
        await ada.http.get("/api/notes/export", timeout=SLOW_SECONDS)
    assert not isinstance(broken.value, httpx.TimeoutException)
    monkeypatch.undo()
    assert (await ada.http.get("/api/notes/export")).status_code == 200


async def test_several_files_and_what_was_not_taken(ada) -> None:
    files = [("file", ("ä.md", "# Ä\n".encode())), ("file", ("b.txt", b"b")), ("file", ("c.exe", b"MZ"))]
    status = await finished(ada, await ada.http.post("/api/notes/import", files=files))
    assert (status["created"], status["total"]) == (2, 3)
    assert [error["name"] for error in status["errors"]] == ["c.exe"]
    assert sorted(n["title"] for n in (await ada.http.get("/api/notes")).json()["notes"]) == ["b", "Ä"]


async def test_an_upload_larger_than_other_bodies_may_be(ada) -> None:
    sink = io.BytesIO()
    with ZipFile(sink, "w") as archive:
        for n in range(20):
            archive.writestr(f"{n}.md", Random(n).randbytes(125_000).hex())
    assert len(sink.getvalue()) > 4_000_000
    status = await finished(ada, await ada.http.post("/api/notes/import", files={"file": ("z.zip", sink.getvalue())}))
    assert status["created"] == 20


async def test_an_upload_has_a_limit(settings, new_person) -> None:
    ada = await new_person()
    async with running(settings.model_copy(update={"import_max_bytes": 3_000_000})) as port:
        url = f"http://127.0.0.1:{port}/api/notes/import"
        answer = await ada.http.post(url, files={"file": ("a.md", b"x" * 3_000_001)})
        assert_problem(answer, 413, "payload_too_large")


async def test_progress_comes_over_the_websocket(ada, gateway) -> None:
    address = gateway.replace("http", "ws") + "/ws"
    async with connect(address, additional_headers={"Cookie": f"inkstream_session={ada.cookie}"}) as socket:
        await socket.recv()
        answer = await ada.http.post("/api/notes/import", files={"file": ("a.md", b"a")})
        async with asyncio.timeout(SLOW_SECONDS):
            while '"processed":1' not in (message := await socket.recv()):
                pass
    assert message == f'{{"type":"import_progress","import_id":"{answer.json()["import_id"]}","processed":1,"total":1}}'


async def test_what_is_no_upload_is_refused(ada) -> None:
    url = "/api/notes/import"
    for request in ({"json": {}}, {"data": {"file": "text"}}, {"files": {"other": ("a.md", b"")}}, {}):
        assert_problem(await ada.http.post(url, **request), 422, "validation_failed")
    for content_type in ("multipart/form-data; boundary=x", "multipart/form-data"):
        broken = {"content": b"--x\r\nnot a part", "headers": {"Content-Type": content_type}}
        problem = assert_problem(await ada.http.post(url, **broken), 422, "validation_failed")
        assert problem["errors"] == [{"field": "body", "message": "Not readable as an upload of files"}]


async def test_too_many_files_are_refused(ada) -> None:
    files = [("file", (f"{n}.md", b"")) for n in range(1001)]
    assert_problem(await ada.http.post("/api/notes/import", files=files), 422, "validation_failed")


@pytest.mark.parametrize("name", ["x" * 300 + ".md", "\u202e.md", "nul\x00.md", "a/../b.md"])
async def test_any_name_of_a_file_is_taken(ada, name: str) -> None:
    status = await finished(ada, await ada.http.post("/api/notes/import", files={"file": (name, b"text")}))
    assert status["created"] == 1


async def test_imports_are_ones_own(ada, bob, nobody) -> None:
    answer = await ada.http.post("/api/notes/import", files={"file": ("a.md", b"a")})
    for import_id in (answer.json()["import_id"], new_id()):
        assert_problem(await bob.http.get(f"/api/notes/imports/{import_id}"), 404, "not_found")
    assert_problem(await bob.http.get("/api/notes/imports/x"), 422, "validation_failed")
    for method, path in (("GET", "export"), ("POST", "import"), ("GET", f"imports/{new_id()}")):
        assert_problem(await nobody.request(method, f"/api/notes/{path}"), 401, "auth_required")
