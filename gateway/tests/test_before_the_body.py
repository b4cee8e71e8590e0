"""What is decided before the first byte of a body is read: who sends it, and how long it says that it is."""

import asyncio

import pytest

from gateway.main import running
from gateway.settings import Settings
from standalone.testing import SLOW_SECONDS

from .raw import head, raw_connection
from .test_accounts import assert_problem
from .test_openapi import DOCUMENT

LARGE = 90 * 1024**2
PROTECTED = [
    (method.upper(), path.replace("{id}", "0").replace("{message_id}", "0").replace("{version}", "1"))
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if "security" in operation
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_without_a_session_no_body_is_read(
    gateway: str, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    """The body never comes, and the answer does."""
    monkeypatch.setattr("gateway.edge_middleware.LINGER_SECONDS", 0.05)
    async with raw_connection(gateway) as connection:
        connection.send(head(method, path, Content_Length=1000, Content_Type="application/json"))
        status, answer = await connection.response()
        assert status == 401
        assert b"connection: close" in answer.lower()
        await connection.until_closed()


async def test_without_a_session_an_upload_is_not_taken_in(gateway: str) -> None:
    async with raw_connection(gateway) as connection:
        kind = "multipart/form-data; boundary=x"
        connection.send(head("POST", "/api/notes/import", Content_Length=LARGE, Content_Type=kind))
        assert (await connection.response())[0] == 401
        sent = 0
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                while sent < LARGE:
                    connection.send(b"x" * 65_536)
                    await connection.writer.drain()
                    sent += 65_536
        except ConnectionError:
            pass
        assert sent < LARGE / 2


@pytest.mark.parametrize("length", [3 * 1024**2, 10**30, "9" * 5_000])
async def test_a_declared_length_beyond_the_bound_is_refused_at_once(gateway: str, ada, length: object) -> None:
    async with raw_connection(gateway) as connection:
        cookie = f"inkstream_session={ada.cookie}"
        connection.send(head("POST", "/api/notes", Content_Length=length, Cookie=cookie))
        assert (await connection.response())[0] in (400, 413)  # what does not fit 64 bits is no length at all


async def test_a_length_with_thousands_of_zeros_is_a_length(gateway: str) -> None:
    async with raw_connection(gateway) as connection:
        connection.send(head("POST", "/api/auth/login", Content_Length="0" * 6_000))
        assert (await connection.response())[0] == 422
        connection.send(head("POST", "/api/auth/login", Content_Length="0" * 6_000 + "2") + b"{}")
        assert (await connection.response())[0] == 422


async def test_a_refused_body_that_is_on_its_way_does_not_hide_the_answer(ada) -> None:
    answer = await ada.http.post("/api/chat", content=b"x" * (3 * 1024**2))
    assert_problem(answer, 413, "payload_too_large")


async def test_one_user_has_one_upload_at_a_time(gateway: str, ada, bob, notes_service: None) -> None:
    kind = "multipart/form-data; boundary=x"
    cookie = f"inkstream_session={ada.cookie}"
    upload = head("POST", "/api/notes/import", Content_Length=1000, Content_Type=kind, Cookie=cookie)
    async with raw_connection(gateway) as first:
        first.send(upload.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        async with asyncio.timeout(SLOW_SECONDS):
            await first.reader.readuntil(b"100 Continue\r\n\r\n")  # so the upload has been admitted
        files = {"file": ("a.md", b"a")}
        assert_problem(await ada.http.post("/api/notes/import", files=files), 429, "rate_limited")
        assert (await bob.http.post("/api/notes/import", files=files)).status_code == 202


async def test_uploads_of_all_share_a_bounded_spool(settings: Settings, ada, bob, agent, notes_service: None) -> None:
    kind = "multipart/form-data; boundary=x"
    async with running(
        settings.model_copy(update={"upload_spool_bytes": 5_000_000, "import_max_bytes": 4_500_000})
    ) as port:
        address = f"http://127.0.0.1:{port}"
        cookie = f"inkstream_session={ada.cookie}"
        begun = head("POST", "/api/notes/import", Content_Length=4_000_000, Content_Type=kind, Cookie=cookie)
        async with raw_connection(address) as first:
            first.send(begun.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
            async with asyncio.timeout(SLOW_SECONDS):
                await first.reader.readuntil(b"100 Continue\r\n\r\n")
            large = {"file": ("a.md", b"a" * 2_000_000)}
            answer = await bob.http.post(f"{address}/api/notes/import", files=large)
            assert_problem(answer, 503, "service_unavailable")
            small = {"file": ("a.md", b"a" * 1_000)}
            assert (await bob.http.post(f"{address}/api/notes/import", files=small)).status_code == 202


async def test_a_field_of_an_upload_that_is_no_file_is_small(ada) -> None:
    parts = [(f"n{number}", (None, "x" * 100_000)) for number in range(3)]
    answer = await ada.http.post("/api/notes/import", files=[*parts, ("file", ("a.md", b"a"))])
    assert_problem(answer, 422, "validation_failed")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", "text/plain", ""])
async def test_what_is_no_upload_is_refused_unread(gateway: str, ada, kind: str) -> None:
    cookie = f"inkstream_session={ada.cookie}"
    async with raw_connection(gateway) as connection:
        connection.send(head("POST", "/api/notes/import", Content_Length=LARGE, Content_Type=kind, Cookie=cookie))
        assert (await connection.response())[0] == 422
