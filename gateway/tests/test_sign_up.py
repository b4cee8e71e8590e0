"""Who may create an account, where a user is signed in, and what the operator does with accounts."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator

import httpx
import pytest

from gateway.main import running
from gateway.settings import Settings
from standalone.testing import SLOW_SECONDS, running_postgres, until

from .conftest import PASSWORD
from .test_accounts import assert_problem, new_name


@pytest.fixture(scope="module")
async def closed(
    settings: Settings, agent, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[tuple[str, Settings]]:
    """The address and the settings of a gateway with a database of its own, where sign-up is closed."""
    async with running_postgres(tmp_path_factory.mktemp("closed")) as database:
        own = settings.model_copy(update={"database_url": database.dsn("accounts"), "sign_up": "closed"})
        async with running(own) as port:
            yield f"http://127.0.0.1:{port}", own


def client(closed: tuple[str, Settings]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=closed[0], timeout=SLOW_SECONDS)


async def administer(closed: tuple[str, Settings], *arguments: str) -> tuple[int, str]:
    """Exit code and output of `python -m gateway.admin`."""
    settings = closed[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.admin", *arguments),
        env=os.environ | {"DATABASE_URL": settings.database_url, "NATS_URL": settings.nats_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def sign_in(http: httpx.AsyncClient, name: str, password: str) -> int:
    return (await http.post("/api/auth/login", json={"username": name, "password": password})).status_code


@pytest.fixture(scope="module")
async def first(closed: tuple[str, Settings]) -> str:
    """The name of the one account that could be created."""
    async with client(closed) as http:
        instance = {"name": "Inkstream", "sign_up": "closed"}
        assert (await http.get("/api/instance")).json() == instance | {"has_accounts": False}
        names = [new_name() for _ in range(6)]
        answers = await asyncio.gather(
            *(http.post("/api/auth/register", json={"username": name, "password": PASSWORD}) for name in names)
        )
        statuses = [answer.status_code for answer in answers]
        assert sorted(statuses) == [201, 403, 403, 403, 403, 403]
        assert (await http.get("/api/instance")).json() == instance | {"has_accounts": True}
        return names[statuses.index(201)]


async def test_where_sign_up_is_closed_only_the_first_account_can_be_created(closed, first) -> None:
    async with client(closed) as http:
        answer = await http.post("/api/auth/register", json={"username": new_name(), "password": PASSWORD})
        assert_problem(answer, 403, "sign_up_closed")
        taken = await http.post("/api/auth/register", json={"username": first, "password": PASSWORD})
        assert_problem(taken, 403, "sign_up_closed")
        assert await sign_in(http, first, PASSWORD) == 200


async def test_where_it_is_open_everybody_can(nobody) -> None:
    answer = await nobody.post("/api/auth/register", json={"username": new_name(), "password": PASSWORD})
    assert answer.status_code == 201
    assert (await nobody.get("/api/instance")).json()["sign_up"] == "open"


async def test_the_operator_adds_and_lists_accounts(closed, first) -> None:
    name = new_name()
    code, output = await administer(closed, "add", name)
    assert code == 0
    async with client(closed) as http:
        assert await sign_in(http, name, re.search(r"password (\S+)", output)[1]) == 200
    code, output = await administer(closed, "users")
    assert code == 0
    lines = {line.split()[0]: line for line in output.splitlines()}
    assert lines[first].endswith("first account")
    assert lines[name].endswith("sessions: 1")
    code, output = await administer(closed, "add", name.upper())
    assert (code, output.strip()) == (1, "This username is taken.")


async def test_the_operator_sets_a_new_password_and_ends_sessions(closed) -> None:
    name = new_name()
    old = re.search(r"password (\S+)", (await administer(closed, "add", name))[1])[1]
    async with client(closed) as http, client(closed) as other:
        for one in (http, other):
            assert await sign_in(one, name, old) == 200
        code, output = await administer(closed, "sign-out", name)
        assert (code, output.strip()) == (0, f"Sessions of {name} ended: 2")

        async def is_out() -> bool | None:
            return (await http.get("/api/auth/me")).status_code == 401 or None

        await until("the session has ended", is_out)
        assert await sign_in(http, name, old) == 200
        code, output = await administer(closed, "reset-password", name)
        assert code == 0
        await until("the session has ended", is_out)
        assert await sign_in(http, name, old) == 401
        assert await sign_in(http, name, re.search(r"New password of \S+: (\S+)", output)[1]) == 200


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["reset-password", "nobody_here"], 1, "There is no account nobody_here"),
        (["sign-out", "nobody_here"], 1, "There is no account nobody_here"),
        (["add", "a b"], 2, "letters, digits or underscores"),
        ([], 2, "usage"),
    ],
)
async def test_the_operator_is_told_what_is_wrong(closed, arguments: list[str], code: int, words: str) -> None:
    returned, output = await administer(closed, *arguments)
    assert returned == code
    assert words in output
    assert "Traceback" not in output


async def test_a_user_sees_where_they_are_signed_in_and_ends_it(ada, gateway) -> None:
    agent = {"User-Agent": "Phone/1.0 " + "x" * 400}
    async with httpx.AsyncClient(base_url=gateway, timeout=SLOW_SECONDS, headers=agent) as phone:
        assert await sign_in(phone, ada.name, PASSWORD) == 200
        sessions = (await ada.http.get("/api/auth/sessions")).json()["sessions"]
        assert [one["is_current"] for one in sessions].count(True) == 1
        (other,) = [one for one in sessions if not one["is_current"]]
        assert other["user_agent"].startswith("Phone/1.0 x")
        assert len(other["user_agent"]) == 256
        assert other["created_at"] <= other["last_used_at"]
        assert (await ada.http.delete(f"/api/auth/sessions/{other['id']}")).status_code == 204
        assert_problem(await phone.get("/api/auth/me"), 401, "auth_required")
        assert_problem(await ada.http.delete(f"/api/auth/sessions/{other['id']}"), 404, "not_found")
        assert await sign_in(phone, ada.name, PASSWORD) == 200
        assert (await ada.http.delete("/api/auth/sessions")).status_code == 204
        assert_problem(await phone.get("/api/auth/me"), 401, "auth_required")
        assert len((await ada.http.get("/api/auth/sessions")).json()["sessions"]) == 1


async def test_nobody_sees_or_ends_another_users_sessions(ada, bob) -> None:
    (session,) = (await ada.http.get("/api/auth/sessions")).json()["sessions"]
    assert_problem(await bob.http.delete(f"/api/auth/sessions/{session['id']}"), 404, "not_found")
    assert (await bob.http.delete("/api/auth/sessions")).status_code == 204
    assert (await ada.http.get("/api/auth/me")).status_code == 200
