"""A signed-in user at a loopback address of their own, so that limits for each address tell users apart."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import websockets
from websockets.asyncio.client import ClientConnection

from standalone.testing import SLOW_SECONDS
from tests.e2e.person import PASSWORD, new_username

USER, ATTACKER = "127.0.0.1", "127.0.0.66"
MANY = httpx.Limits(max_connections=100, max_keepalive_connections=100)


@dataclass(frozen=True)
class Account:
    http: httpx.AsyncClient
    name: str
    source: str

    @property
    def cookie(self) -> str:
        return f"inkstream_session={self.http.cookies['inkstream_session']}"

    @asynccontextmanager
    async def websocket(self) -> AsyncGenerator[ClientConnection]:
        parts = urlsplit(str(self.http.base_url))
        async with websockets.connect(
            f"ws://{parts.netloc}/ws",
            additional_headers={"Cookie": self.cookie},
            local_addr=(self.source, 0),
            open_timeout=SLOW_SECONDS,
        ) as socket:
            yield socket


@asynccontextmanager
async def new_account(url: str, source: str = USER) -> AsyncGenerator[Account]:
    transport = httpx.AsyncHTTPTransport(local_address=source, limits=MANY)
    async with httpx.AsyncClient(base_url=url, transport=transport, timeout=SLOW_SECONDS) as http:
        name = new_username()
        response = await http.post("/api/auth/register", json={"username": name, "password": PASSWORD})
        response.raise_for_status()
        yield Account(http, name, source)
