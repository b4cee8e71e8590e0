"""Sessions that are kept for some seconds, and dropped when they end."""

import asyncio

import httpx
import pytest

from contracts.ids import new_id
from gateway.accounts.models import User
from gateway.accounts.repository import AccountRepository, StoredSession
from gateway.accounts.session_cache import KEPT_SECONDS, MAX_KEPT, SessionCache
from gateway.main import running
from gateway.settings import Settings
from standalone.testing import SLOW_SECONDS, until

from .conftest import PASSWORD, Person


def stored(name: str) -> StoredSession:
    return StoredSession(name, User(id=new_id(), username=name), False)


def test_what_was_read_before_an_end_is_not_kept() -> None:
    cache = SessionCache()
    generation = cache.generation
    cache.drop(["ended"])  # while it was being read
    cache.put(b"token", stored("ended"), generation)
    assert cache.get(b"token") is None
    other = stored("other")
    cache.put(b"token", other, cache.generation)
    assert cache.get(b"token") is other
    cache.drop(["other", "unknown"])
    assert cache.get(b"token") is None


def test_a_session_is_kept_for_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    cache = SessionCache()
    one = stored("one")
    cache.put(b"token", one, cache.generation)
    now += KEPT_SECONDS - 0.1
    assert cache.get(b"token") is one
    now += 0.1
    assert cache.get(b"token") is None


def test_it_holds_so_many_and_no_more() -> None:
    cache = SessionCache()
    for number in range(MAX_KEPT + 1):
        cache.put(b"%d" % number, stored(str(number)), cache.generation)
    assert sum(cache.get(b"%d" % number) is not None for number in range(MAX_KEPT + 1)) == 1


async def test_requests_of_a_session_share_a_statement(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[bytes] = []
    original = AccountRepository.session

    async def session(self: AccountRepository, token_hash: bytes, *more: object) -> StoredSession | None:
        looked_up.append(token_hash)
        return await original(self, token_hash, *more)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(AccountRepository, "session", session)
    for _ in range(5):
        assert (await ada.http.get("/api/auth/me")).status_code == 200
    assert len(looked_up) <= 1


@pytest.mark.parametrize("how", ["sign out", "new password"])
async def test_a_session_that_ends_at_one_gateway_ends_at_the_other(
    gateway: str, settings: Settings, ada: Person, nobody: httpx.AsyncClient, how: str
) -> None:
    """At the one that ends it with its answer, at the other as soon as it hears of it: long before it would forget."""
    await nobody.post("/api/auth/login", json={"username": ada.name, "password": PASSWORD})
    session = {"inkstream_session": nobody.cookies["inkstream_session"]}
    async with (
        running(settings) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", cookies=session, timeout=SLOW_SECONDS) as other,
        httpx.AsyncClient(base_url=gateway, cookies=session, timeout=SLOW_SECONDS) as same,
    ):
        for http in (same, other):
            assert (await http.get("/api/auth/me")).status_code == 200
        began = asyncio.get_running_loop().time()
        if how == "sign out":
            await same.post("/api/auth/logout")
        else:
            await ada.http.post("/api/auth/password", json={"current": PASSWORD, "new": "another one"})
        assert (await same.get("/api/auth/me")).status_code == 401

        async def is_refused() -> bool:
            return (await other.get("/api/auth/me")).status_code == 401

        await until("the other gateway to hear of it", is_refused)
        assert asyncio.get_running_loop().time() - began < KEPT_SECONDS


async def test_the_old_token_ends_with_a_new_password(gateway: str, ada: Person) -> None:
    async with httpx.AsyncClient(base_url=gateway, cookies={"inkstream_session": ada.cookie}) as old:
        assert (await old.get("/api/auth/me")).status_code == 200
        await ada.http.post("/api/auth/password", json={"current": PASSWORD, "new": "another one"})
        assert (await ada.http.get("/api/auth/me")).status_code == 200
        assert (await old.get("/api/auth/me")).status_code == 401
