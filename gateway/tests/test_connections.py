"""What a connection may do before and between requests: silence, endless heads, half bodies, crowds."""

import asyncio
import resource
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from gateway.main import running
from gateway.settings import Settings
from servicekit.process import raise_descriptor_limit
from standalone.testing import SLOW_SECONDS, until

from .raw import head, raw_connection

REQUEST_SECONDS = 1.0
PER_ADDRESS = 5
ELSEWHERE = "127.0.0.9"


@pytest.fixture(scope="module")
async def strict(settings: Settings, agent) -> AsyncGenerator[str]:
    """A gateway without a proxy before it, which waits for a request for a second only."""
    changes = {"request_timeout_s": REQUEST_SECONDS, "connections_per_address": PER_ADDRESS, "trusted_proxies": ""}
    async with running(settings.model_copy(update=changes)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"\r\n",
        b"GET /healthz HT",
        head("GET", "/healthz")[:-2],
        head("POST", "/api/auth/login", Content_Length=100) + b'{"username": ',
        head("POST", "/api/auth/login", Transfer_Encoding="chunked") + b"5\r\n12345\r\n",
    ],
)
async def test_a_connection_without_a_whole_request_is_closed(strict: str, begun: bytes) -> None:
    async with raw_connection(strict) as connection:
        connection.send(begun)
        await connection.until_closed()


async def test_neither_is_one_kept_that_says_a_little_again_and_again(strict: str) -> None:
    async with raw_connection(strict) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")

        async def drip() -> None:
            while not connection.writer.is_closing():
                connection.send(b"X: y\r\n")
                await asyncio.sleep(REQUEST_SECONDS / 10)

        dripping = asyncio.ensure_future(drip())
        await connection.until_closed()
        dripping.cancel()


async def test_blank_lines_between_requests_do_not_keep_a_connection(strict: str) -> None:
    async with raw_connection(strict) as connection:
        connection.send(head("GET", "/healthz"))
        assert (await connection.response())[0] == 200
        connection.send(b"\r\n")
        await connection.until_closed()


async def test_a_connection_may_rest_between_two_requests(strict: str) -> None:
    async with raw_connection(strict) as connection, raw_connection(strict) as silent:
        connection.send(head("GET", "/healthz"))
        assert (await connection.response())[0] == 200
        await silent.until_closed()  # which is how long the other one has rested
        connection.send(head("GET", "/healthz"))
        assert (await connection.response())[0] == 200


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 70_000,
        b"GET /" + b"x" * 70_000,
        head("GET", "/" + "x" * 70_000),
        head("GET", "/healthz", X="x" * 70_000),
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 2_000 + b"\r\n",
    ],
)
async def test_the_head_of_a_request_is_bounded(strict: str, endless: bytes) -> None:
    async with raw_connection(strict) as connection:
        connection.send(endless)
        status, _ = await connection.response()
        assert status == 431
        await connection.until_closed()


@pytest.mark.parametrize(
    "endless",
    [b"0\r\n" + b"X: y\r\n" * 2_000, b"0\r\nX: " + b"x" * 400_000, b"5;" + b"x" * 400_000],
)
async def test_so_is_what_surrounds_a_chunked_body(strict: str, endless: bytes) -> None:
    async with raw_connection(strict) as connection:
        connection.send(head("POST", "/api/auth/login", Transfer_Encoding="chunked") + b"2\r\n{}\r\n" + endless)
        assert b" 431 " in await connection.until_closed()


async def test_a_long_head_is_served_up_to_the_bound(strict: str) -> None:
    async with raw_connection(strict) as connection:
        connection.send(head("GET", "/healthz", X="x" * 60_000))
        assert (await connection.response())[0] == 200


async def test_connections_of_one_address_are_bounded(strict: str) -> None:
    async with AsyncExitStack() as stack:
        held = [await stack.enter_async_context(raw_connection(strict)) for _ in range(PER_ADDRESS)]
        for connection in held:
            connection.send(head("GET", "/healthz"))
            assert (await connection.response())[0] == 200
        async with raw_connection(strict) as one_too_many, raw_connection(strict, source=ELSEWHERE) as someone_else:
            await one_too_many.until_closed()
            someone_else.send(head("GET", "/healthz"))
            assert (await someone_else.response())[0] == 200
        held[0].writer.close()

        async def admitted() -> bool:
            async with raw_connection(strict) as connection:
                connection.send(head("GET", "/healthz"))
                return b" 200 " in await asyncio.wait_for(connection.reader.readline(), SLOW_SECONDS)

        await until("a connection in place of one that ended", admitted)


async def test_requests_of_one_address_behind_a_proxy_are_bounded(settings: Settings, agent, ada) -> None:
    """The proxy's own connections are not. Streams stay open, so they are requests in progress."""
    run = agent.new_run(ada.id)
    async with (
        running(settings.model_copy(update={"connections_per_address": 2})) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", cookies=ada.http.cookies) as http,
        AsyncExitStack() as stack,
    ):
        here, there = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "203.0.113.8"}
        for _ in range(2):
            await stack.enter_async_context(http.stream("GET", f"/api/runs/{run.id}/events", headers=here))
        answer = await http.get("/healthz", headers=here)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert (await http.get("/healthz", headers=there)).status_code == 200


async def test_an_address_of_ipv6_is_its_network(settings: Settings, agent, ada) -> None:
    run = agent.new_run(ada.id)
    async with (
        running(settings.model_copy(update={"connections_per_address": 1})) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", cookies=ada.http.cookies) as http,
        http.stream("GET", f"/api/runs/{run.id}/events", headers={"X-Forwarded-For": "2001:db8::1"}),
    ):
        for address, status in (("2001:db8::2", 429), ("2001:db8:0:1::1", 200)):
            assert (await http.get("/healthz", headers={"X-Forwarded-For": address})).status_code == status


@pytest.fixture
def few_descriptors() -> Generator[int]:
    """Room for fifty more than are open now; the hard limit stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = len(list(Path("/proc/self/fd").iterdir())) + 50
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_near_the_descriptor_limit_connections_are_refused_and_it_is_logged(
    settings: Settings, agent, few_descriptors: int, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.connections.RESERVED_DESCRIPTORS", 30)
    async with running(settings) as port, AsyncExitStack() as stack:
        address = f"http://127.0.0.1:{port}"
        established = await stack.enter_async_context(raw_connection(address))
        established.send(head("GET", "/healthz"))
        assert (await established.response())[0] == 200
        crowd = [await stack.enter_async_context(raw_connection(address)) for _ in range(12)]
        refused = await asyncio.wait_for(
            asyncio.wait([asyncio.ensure_future(one.until_closed()) for one in crowd], return_when="FIRST_COMPLETED"),
            SLOW_SECONDS,
        )
        assert refused[0]
        for task in refused[1]:
            task.cancel()
        established.send(head("GET", "/readyz"))
        assert (await established.response())[0] in (200, 503)  # it still answers those that it has
    assert "connections refused" in capfd.readouterr().out


def test_the_descriptor_limit_is_raised_as_far_as_it_goes(few_descriptors: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert raise_descriptor_limit() == hard
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


async def test_a_client_that_never_takes_its_response_is_let_go(
    settings: Settings, agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.server.STALLED_SECONDS", 0.5)
    async with running(settings) as port, raw_connection(f"http://127.0.0.1:{port}") as greedy:
        greedy.writer.transport.pause_reading()
        for _ in range(200):
            greedy.send(head("GET", "/openapi.json"))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:

            async def gone() -> bool:
                return "inkstream_open_connections 1.0" in (await http.get("/metrics")).text

            await until("a gateway with one connection, the one that asks", gone)


async def test_a_body_that_goes_on_slowly_is_taken(strict: str) -> None:
    """Time for a body grows with what has come: this one takes longer than a silent connection may."""
    body = b'{"username": "nobody", "password": "' + b"x" * 200 + b'"}' + b" " * 100_000
    async with raw_connection(strict) as connection, raw_connection(strict) as silent:
        connection.send(head("POST", "/api/auth/login", Content_Length=len(body), Content_Type="application/json"))
        connection.send(body[:90_000])
        await silent.until_closed()
        connection.send(body[90_000:])
        assert (await connection.response())[0] == 401
