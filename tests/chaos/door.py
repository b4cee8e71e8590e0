"""One user's client: any gateway, one session, and requests that are retried until they are answered."""

import asyncio
import random
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.chaos.troubles import Troubles
from tests.e2e.person import PASSWORD, new_username

ANSWER_SECONDS = 60.0
LATE_SECONDS = 30.0
"""An outage is reported within 5 s, and a request may meet two of them; the rest is for a busy machine."""

# created once: creating a context reads the system's certificates, which takes longer than a request
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Door:
    urls: list[str]
    rng: random.Random
    troubles: Troubles
    client: httpx.AsyncClient
    user_id: str = ""

    def url(self) -> str:
        return self.rng.choice(self.urls)

    @property
    def cookie(self) -> str:
        return self.client.headers["Cookie"]

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Sends the request, and retries it at any gateway until the answer is not "try again in a moment"."""
        while True:
            began = time.monotonic()
            try:
                answer = await self.client.request(method, self.url() + path, **request)
            except httpx.TimeoutException:
                self.troubles.add("stuck", f"{method} {path}: no answer within {ANSWER_SECONDS:.0f} s")
            except httpx.TransportError:
                pass  # this gateway is down
            else:
                self._judge(answer, time.monotonic() - began)
                if answer.status_code < 500:
                    return answer
            await asyncio.sleep(self.rng.uniform(0.05, 0.3))

    def _judge(self, answer: httpx.Response, seconds: float) -> None:
        what = f"{answer.request.method} {answer.request.url.path}"
        self.troubles.check("stuck", seconds < LATE_SECONDS, f"{what}: answered only after {seconds:.1f} s")
        if answer.status_code == 503:
            self.troubles.check("wrong", "retry-after" in answer.headers, f"{what}: 503 without Retry-After")
        else:
            self.troubles.check("wrong", answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:200]}")


@asynccontextmanager
async def signed_up(urls: list[str], rng: random.Random, troubles: Troubles) -> AsyncGenerator[Door]:
    async with httpx.AsyncClient(verify=_NO_TLS, timeout=httpx.Timeout(ANSWER_SECONDS, pool=None)) as client:
        door = Door(urls, rng, troubles, client)
        answer = await door.ask("POST", "/api/auth/register", json={"username": new_username(), "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        door.user_id = answer.json()["user"]["id"]
        # sent by hand, because the cookie jar is per host and the client changes between gateways
        session = answer.cookies["inkstream_session"]
        client.cookies.clear()
        client.headers["Cookie"] = f"inkstream_session={session}"
        yield door
