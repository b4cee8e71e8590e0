"""No request keeps the gateway's event loop, on which everybody's requests and streams are."""

import io
import json
import zipfile
from typing import Any

import pytest

from standalone.testing import longest_callback

LOOP_SECONDS = 0.05
SIZE = 250_000


def archive(entries: int) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as made:
        for number in range(entries):
            made.writestr(f"{number}.md", b"# A\n\ntext")
    return sink.getvalue()


def parts(count: int) -> bytes:
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\nx\r\n'
    return part * count + b"--b--\r\n"


MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
JSON = {"Content-Type": "application/json"}
NOTES = {
    "words": "word " * (SIZE // 5),
    "Chinese": "漢字" * (SIZE // 6),
    "brackets": "[" * SIZE,
    "quotes": '"' * (SIZE // 2),
    "control characters": "\x01" * (SIZE // 6),
    "marks": "e" + "\u0301" * (SIZE // 2),
}
REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "nested arrays": ("POST", "/api/notes", {"content": b"[" * SIZE, "headers": JSON}),
    "nested objects": ("POST", "/api/notes", {"content": b'{"a":' * (SIZE // 5), "headers": JSON}),
    "a list of tags": ("POST", "/api/notes", {"content": json.dumps({"title": "A", "tags": ["a"] * (SIZE // 6)})}),
    "many fields": ("POST", "/api/notes", {"content": json.dumps({f"f{n}": n for n in range(20_000)})}),
    "a number": ("POST", "/api/notes", {"content": b'{"title": 1' + b"0" * SIZE + b"}", "headers": JSON}),
    "a search": ("GET", "/api/notes/search", {"params": {"q": "a " * 4_000}}),
    "a cursor": ("GET", "/api/notes", {"params": {"cursor": "A" * 8_000}}),
    "a message": ("POST", "/api/runs", {"json": {"message": "[" * 32_000}}),
    "a cookie": ("GET", "/api/notes", {"headers": {"Cookie": "a=b;" * 8_000}}),
    "addresses": ("GET", "/api/notes", {"headers": {"X-Forwarded-For": "1.2.3.4," * 6_000}}),
    "versions": ("GET", "/api/notes", {"headers": {"If-Match": '"1",' * 10_000}}),
    "an archive": ("POST", "/api/notes/import", {"files": {"file": ("a.zip", archive(2_000))}}),
    "parts": ("POST", "/api/notes/import", {"content": parts(20_000), "headers": MULTIPART}),
    "a part without an end": ("POST", "/api/notes/import", {"content": b"--b\r\n" + b"a" * SIZE, "headers": MULTIPART}),
    "dashes": ("POST", "/api/notes/import", {"content": b"\r\n-" * (SIZE // 3), "headers": MULTIPART}),
    "part headers": ("POST", "/api/notes/import", {"content": b"--b\r\n" + b"A: b\r\n" * 40_000, "headers": MULTIPART}),
}


@pytest.mark.usefixtures("notes_service")
@pytest.mark.parametrize("name", NOTES)
async def test_no_note_keeps_the_event_loop(ada, name: str) -> None:
    body = NOTES[name]
    assert (await ada.http.get("/api/notes")).status_code == 200  # what is done for the first time takes longer
    with longest_callback() as longest:
        made = await ada.http.post("/api/notes", json={"title": "A", "body": body})
        assert made.status_code == 201, made.text[:200]
        path = f"/api/notes/{made.json()['id']}"
        changed = await ada.http.patch(path, json={"body": body[1:]}, headers={"If-Match": made.headers["etag"]})
        assert changed.status_code == 200
        for address in ("/api/notes", path, f"{path}/revisions", "/api/notes/search?q=word", "/api/notes/changes"):
            assert (await ada.http.get(address)).is_success
    assert longest.seconds < LOOP_SECONDS, longest.callback


@pytest.mark.usefixtures("notes_service")
@pytest.mark.parametrize("name", REQUESTS)
async def test_no_request_keeps_the_event_loop(ada, name: str) -> None:
    method, path, more = REQUESTS[name]
    assert (await ada.http.get("/api/notes")).status_code == 200
    with longest_callback() as longest:
        response = await ada.http.request(method, path, **more)
    assert response.status_code < 500
    assert longest.seconds < LOOP_SECONDS, longest.callback
