"""What a user does, one of each kind, and how long it takes: until it is done, or the moment that it returns. Every
refusal is an error: the user does nothing wrong."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from standalone.testing import SLOW_SECONDS, until
from tests.e2e.person import PASSWORD
from tests.hostile.account import Account

IMPORT_SECONDS = 600.0
WORDS = "the quick brown fox jumps over a lazy dog"


async def prepare(account: Account, notes: int = 30) -> None:
    """The notes that are searched and exported."""
    for number in range(notes):
        response = await account.http.post(
            "/api/notes", json={"title": f"Note {number}", "body": f"{WORDS} {number}\n" * 20}
        )
        response.raise_for_status()


async def run(account: Account) -> float:
    """Until the first token of an answer; the rest is waited for, so that no more than one is under way."""
    first: float | None = None
    body = {"message": "Hello"}
    async with account.http.stream("POST", "/api/chat", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line == "event: token" and first is None:
                first = time.perf_counter()
    assert first is not None
    return first


async def import_file(account: Account) -> None:
    """Until the import is complete."""
    response = await account.http.post("/api/notes/import", files={"file": ("imported.md", b"# Imported\n\ntext")})
    response.raise_for_status()
    path = f"/api/notes/imports/{response.json()['import_id']}"

    async def ended() -> bool:
        return (await account.http.get(path)).raise_for_status().json()["status"] in ("completed", "failed")

    await until("an import that has ended", ended, IMPORT_SECONDS)


async def search(account: Account) -> None:
    (await account.http.get("/api/notes/search", params={"q": "quick lazy dog"})).raise_for_status()


async def save(account: Account) -> None:
    (await account.http.post("/api/notes", json={"title": "Saved", "body": WORDS})).raise_for_status()


async def open_socket(account: Account) -> None:
    """Until it is greeted."""
    async with account.websocket() as socket:
        await asyncio.wait_for(socket.recv(), SLOW_SECONDS)


async def export(account: Account) -> None:
    (await account.http.get("/api/notes/export")).raise_for_status()


async def sign_in(account: Account) -> None:
    body = {"username": account.name, "password": PASSWORD}
    (await account.http.post("/api/auth/login", json=body)).raise_for_status()


OPERATIONS: Mapping[str, Callable[[Account], Awaitable[float | None]]] = {
    "run": run,
    "import": import_file,
    "search": search,
    "save": save,
    "socket": open_socket,
    "export": export,
    "sign-in": sign_in,
}


async def timed(name: str, account: Account) -> float:
    """Seconds. Raises `httpx.HTTPStatusError` where it is refused."""
    began = time.perf_counter()
    ended = await OPERATIONS[name](account)
    return (ended or time.perf_counter()) - began
