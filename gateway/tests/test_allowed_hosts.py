"""Which names this server answers to. Another site's page can make its own name lead here."""

from collections.abc import AsyncGenerator

import httpx
import pydantic
import pytest

from gateway.main import running
from gateway.settings import Settings

from .conftest import PASSWORD
from .raw import head, raw_connection
from .test_accounts import assert_problem, new_name

PUBLIC = "https://notes.example, http://nas.local:8080"
OURS = ["notes.example", "NOTES.example:443", "nas.local", "nas.local:1", "localhost", "x.localhost:8080", "127.0.0.1"]
ADDRESSES = ["192.168.1.5:8080", "[::1]:8080", "[2001:db8::1]"]
FOREIGN = [
    "evil.example",
    "notes.example.evil.example",
    "evil-notes.example",
    "",
    "localhost.evil.example",
    "[::1",
    "a b",
]


@pytest.fixture(scope="module")
async def public(settings: Settings, agent_for_session) -> AsyncGenerator[str]:
    async with running(settings.model_copy(update={"public_url": PUBLIC})) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("host", [*OURS, *ADDRESSES])
async def test_our_own_names_are_answered(public: str, host: str) -> None:
    async with httpx.AsyncClient(base_url=public, headers={"Host": host}) as http:
        body = {"username": new_name(), "password": PASSWORD}
        assert (await http.post("/api/auth/register", json=body)).status_code == 201


@pytest.mark.parametrize("host", FOREIGN)
async def test_a_name_that_was_made_to_lead_here_gets_nothing(public: str, host: str) -> None:
    async with httpx.AsyncClient(base_url=public, headers={"Host": host}) as http:
        for path in ("/", "/api/chat/status", "/openapi.json"):
            assert_problem(await http.get(path), 403, "forbidden")
        body = {"username": new_name(), "password": PASSWORD}
        problem = assert_problem(await http.post("/api/auth/register", json=body), 403, "forbidden")
        assert "INKSTREAM_PUBLIC_URL" in problem["detail"]
        assert repr(host) in problem["detail"]
        assert (await http.get("/healthz")).status_code == 200  # whatever the name by which it is watched


async def test_neither_does_its_websocket(public: str) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": 13}
    key = {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    for host, status in (("evil.example", 403), ("notes.example", 101)):
        async with raw_connection(public) as connection:
            connection.send(head("GET", "/ws", Host=host, **upgrade, **key))
            assert (await connection.response())[0] == status


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: evil.example\r\n"])
async def test_one_name_and_no_more(public: str, hosts: bytes) -> None:
    async with raw_connection(public) as connection:
        connection.send(b"GET /api/auth/me HTTP/1.1\r\n" + hosts + b"\r\n")
        assert (await connection.response())[0] == 403


@pytest.mark.parametrize("url", ["https://", "http://[::1", ",http://:80"])
def test_a_public_url_has_a_host_name(url: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        Settings(database_url="postgresql://nowhere", public_url=url)
