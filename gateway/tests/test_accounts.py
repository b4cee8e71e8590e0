"""Registering, signing in and out; what a session is; what guessing costs."""

import asyncio
import hashlib

import asyncpg
import httpx
import pytest

from contracts.ids import new_id
from gateway.main import running

from .conftest import PASSWORD


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["title"]
    assert problem["detail"]
    return problem


def new_name() -> str:
    return f"u{new_id().replace('-', '_')}"


async def test_registering_signs_in(nobody) -> None:
    name = new_name()
    answer = await nobody.post("/api/auth/register", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 201
    user = answer.json()["user"]
    assert user["username"] == name
    cookie, who, device = answer.headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert who.startswith(f"inkstream_user={user['id']}:{name};")
    assert "HttpOnly" not in who
    assert "HttpOnly" in device
    assert "Path=/api/auth" in device
    for one in (cookie, who, device):
        assert "SameSite=lax" in one
        assert "Path=/" in one
        assert "Secure" not in one
    assert (await nobody.get("/api/auth/me")).json() == {"user": user}


async def test_the_cookie_is_for_https_only_where_there_is_https(nobody) -> None:
    credentials = {"username": new_name(), "password": PASSWORD}
    answer = await nobody.post("/api/auth/register", json=credentials, headers={"X-Forwarded-Proto": "https"})
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


async def test_a_name_is_taken_whatever_its_case(ada, nobody) -> None:
    answer = await nobody.post("/api/auth/register", json={"username": ada.name.upper(), "password": PASSWORD})
    assert_problem(answer, 409, "username_taken")


async def test_of_many_who_want_a_name_one_gets_it(nobody) -> None:
    body = {"username": new_name(), "password": PASSWORD}
    answers = await asyncio.gather(*(nobody.post("/api/auth/register", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize("name", ["ab", "a" * 65, "a b", "é" * 5, "name\n", "a\x00bc", "", None, 7, ["abc"]])
async def test_a_name_has_a_form(nobody, name) -> None:
    problem = assert_problem(
        await nobody.post("/api/auth/register", json={"username": name, "password": PASSWORD}), 422, "validation_failed"
    )
    assert [error["field"] for error in problem["errors"]] == ["username"]


@pytest.mark.parametrize("password", ["short77", "x" * 257, None, 12345678])
async def test_a_password_has_a_length(nobody, password) -> None:
    body = {"username": new_name(), "password": password}
    problem = assert_problem(await nobody.post("/api/auth/register", json=body), 422, "validation_failed")
    assert [error["field"] for error in problem["errors"]] == ["password"]
    assert str(password) not in str(problem["errors"])


@pytest.mark.parametrize("password", ["pässwörd 🔑", "x" * 256, "        ", "nul\x00 inside"])
async def test_any_characters_make_a_password(nobody, password: str) -> None:
    body = {"username": new_name(), "password": password}
    assert (await nobody.post("/api/auth/register", json=body)).status_code == 201
    assert (await nobody.post("/api/auth/login", json=body)).status_code == 200
    wrong = body | {"password": password + "x"}
    assert_problem(await nobody.post("/api/auth/login", json=wrong), 401, "invalid_credentials")


async def test_signing_in_works_whatever_the_case_of_the_name(ada, nobody) -> None:
    answer = await nobody.post("/api/auth/login", json={"username": ada.name.upper(), "password": PASSWORD})
    assert answer.json() == {"user": {"id": ada.id, "username": ada.name}}


@pytest.mark.parametrize("name", ["nobody_at_all", "no such form!", ""])
async def test_an_unknown_name_is_answered_like_a_wrong_password(nobody, name: str) -> None:
    answer = await nobody.post("/api/auth/login", json={"username": name, "password": PASSWORD})
    assert_problem(answer, 401, "invalid_credentials")


async def test_signing_out_ends_the_session(ada, gateway: str) -> None:
    cookies = {"inkstream_session": ada.cookie}
    assert (await ada.http.post("/api/auth/logout")).status_code == 204
    assert "inkstream_user" not in ada.http.cookies
    async with httpx.AsyncClient(base_url=gateway, cookies=cookies) as thief:
        assert_problem(await thief.get("/api/auth/me"), 401, "auth_required")


async def test_a_new_password_ends_the_other_sessions(ada, nobody) -> None:
    await nobody.post("/api/auth/login", json={"username": ada.name, "password": PASSWORD})
    wrong = await ada.http.post("/api/auth/password", json={"current": "not this", "new": "another one"})
    assert_problem(wrong, 401, "invalid_credentials")
    changed = await ada.http.post("/api/auth/password", json={"current": PASSWORD, "new": "another one"})
    assert changed.status_code == 204
    assert (await ada.http.get("/api/auth/me")).status_code == 200
    assert_problem(await nobody.get("/api/auth/me"), 401, "auth_required")
    for password, status in ((PASSWORD, 401), ("another one", 200)):
        answer = await nobody.post("/api/auth/login", json={"username": ada.name, "password": password})
        assert answer.status_code == status


async def test_neither_password_nor_token_is_stored(ada, postgres) -> None:
    db = await asyncpg.connect(postgres.dsn("accounts"))
    try:
        stored = await db.fetchval("SELECT password_hash FROM accounts.users WHERE id = $1", ada.id)
        assert stored.startswith("$argon2id$")
        tokens = await db.fetch("SELECT token_hash FROM accounts.sessions WHERE user_id = $1", ada.id)
        assert [row["token_hash"] for row in tokens] == [hashlib.sha256(ada.cookie.encode()).digest()]
    finally:
        await db.close()


async def test_a_session_expires_and_lives_on_by_being_used(ada, postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.accounts.session_cache.KEPT_SECONDS", 0.0)
    db = await asyncpg.connect(postgres.dsn("accounts"))
    try:
        expiry = "UPDATE accounts.sessions SET expires_at = now() + $2::interval WHERE user_id = $1"
        await db.execute(expiry.replace("$2::interval", "interval '5 days'"), ada.id)
        answer = await ada.http.get("/api/auth/me")
        assert "inkstream_session=" in answer.headers["set-cookie"]
        assert await db.fetchval("SELECT expires_at > now() + interval '29 days' FROM accounts.sessions LIMIT 1")
        assert "set-cookie" not in (await ada.http.get("/api/auth/me")).headers
        await db.execute(expiry.replace("$2::interval", "interval '-1 second'"), ada.id)
        assert_problem(await ada.http.get("/api/auth/me"), 401, "auth_required")
    finally:
        await db.close()


@pytest.mark.parametrize("cookie", ["", "x", "é", "a" * 3000, '"quoted"'])
async def test_a_made_up_cookie_is_no_session(nobody, cookie: str) -> None:
    answer = await nobody.get("/api/auth/me", headers={"Cookie": f"inkstream_session={cookie}".encode()})
    assert_problem(answer, 401, "auth_required")


async def test_nobody_chooses_their_address_without_a_trusted_proxy(settings, agent) -> None:
    strict = settings.model_copy(update={"trusted_proxies": "10.0.0.0/8", "sign_ins_per_address": 2})
    own_address = httpx.AsyncHTTPTransport(local_address="127.0.0.33")  # it will have to wait
    async with (
        running(strict) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", transport=own_address) as http,
    ):
        statuses = []
        for number in range(40):
            body = {"username": new_name(), "password": PASSWORD}
            forged = {"X-Forwarded-For": f"198.51.100.{number}", "X-Forwarded-Proto": "https"}
            statuses.append((await http.post("/api/auth/login", json=body, headers=forged)).status_code)
            if statuses[-1] == 429:
                break
        assert statuses[-1] == 429
