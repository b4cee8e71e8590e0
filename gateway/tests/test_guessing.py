"""What guessing passwords costs whoever guesses, and that it costs nobody else."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from datetime import timedelta

import asyncpg
import httpx
import pytest
import structlog

from gateway.accounts import rate_limits
from gateway.accounts.devices import Devices
from gateway.main import running
from gateway.settings import Settings
from standalone.postgres import Postgres
from standalone.testing import SLOW_SECONDS, until

from .conftest import PASSWORD, Person
from .test_accounts import assert_problem, new_name

ATTACKER = "203.0.113.66"


@pytest.fixture(autouse=True)
def _long_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """No delay ends while a test looks at it, however slow the machine is."""
    monkeypatch.setattr(rate_limits, "FIRST", timedelta(minutes=1))
    monkeypatch.setattr(rate_limits, "LONGEST_SHARED", timedelta(minutes=5))


def at(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def guess(
    http: httpx.AsyncClient, name: str, address: str = ATTACKER, password: str = "a guess"
) -> httpx.Response:
    body = {"username": name, "password": password}
    return await http.post("/api/auth/login", json=body, headers=at(address))


async def guess_until_delayed(http: httpx.AsyncClient, name: str, address: str = ATTACKER) -> httpx.Response:
    for _ in range(200):
        answer = await guess(http, name, address)
        if answer.status_code == 429:
            return answer
        assert_problem(answer, 401, "invalid_credentials")
    raise AssertionError("nobody has to wait")


@pytest.fixture
async def owner(ada: Person, nobody: httpx.AsyncClient) -> AsyncGenerator[httpx.AsyncClient]:
    """Ada on another device, where she has never been."""
    async with httpx.AsyncClient(base_url=nobody.base_url, timeout=SLOW_SECONDS) as http:
        yield http


async def test_after_some_guesses_the_next_has_to_wait(ada, nobody, settings) -> None:
    for _ in range(settings.sign_ins_per_name):
        assert_problem(await guess(nobody, ada.name), 401, "invalid_credentials")
    answer = await guess(nobody, ada.name.upper())
    problem = assert_problem(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert re.fullmatch(r"Too many attempts. Try again in (\d+ seconds?|1 minute)\.", problem["detail"])
    assert_problem(await guess(nobody, ada.name, password=PASSWORD), 429, "rate_limited")


async def test_the_delays_grow_up_to_a_bound_and_end(
    ada, nobody, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "REMEMBERED_BLOCKS", 0)  # here time is made to pass
    monkeypatch.setattr(rate_limits, "FIRST", timedelta(seconds=1))
    db, delays = await asyncpg.connect(postgres.dsn("accounts")), []
    for _ in range(12):
        answer = await guess_until_delayed(nobody, ada.name, "203.0.113.71")
        delays.append(int(answer.headers["retry-after"]))
        await db.execute("UPDATE accounts.attempts SET blocked_until = now() WHERE key LIKE '%203.0.113.71 %'")
    assert len(set(delays)) > 3
    assert sorted(delays) == delays
    assert delays[-1] == 300
    await db.close()


async def test_a_delay_holds_for_all_gateways(ada, nobody, settings: Settings) -> None:
    await guess_until_delayed(nobody, ada.name, "203.0.113.72")
    async with running(settings) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        assert_problem(await guess(http, ada.name, "203.0.113.72"), 429, "rate_limited")


async def test_a_delay_ends(ada, nobody, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "FIRST", timedelta(seconds=1))
    await guess_until_delayed(nobody, ada.name, "203.0.113.73")

    async def let_in() -> bool:
        return (await guess(nobody, ada.name, "203.0.113.73", PASSWORD)).status_code == 200

    await until("a delay that has ended", let_in)


async def test_guesses_from_elsewhere_do_not_shut_the_owner_out(ada, nobody, owner) -> None:
    for address in ("203.0.113.81", "203.0.113.82", "2001:db8:1::1", "2001:db8:1::2"):
        await guess_until_delayed(nobody, ada.name, address)
    assert (await guess(owner, ada.name, "198.51.100.1", PASSWORD)).status_code == 200


async def test_guesses_from_very_many_addresses_wait_for_each_other(ada, bob, nobody, owner) -> None:
    """No address has more than one; devices of the owner and other names are not concerned."""
    at_once = asyncio.Semaphore(16)

    async def guess_from(number: int) -> None:
        async with at_once:
            answer = await guess(nobody, ada.name, f"10.1.{number // 250}.{number % 250}")
        assert_problem(answer, 401, "invalid_credentials")

    await asyncio.gather(*(guess_from(number) for number in range(rate_limits.FREE_PER_NAME)))
    unknown = "198.51.100.77"
    answer = await guess(owner, ada.name, unknown, PASSWORD)
    assert_problem(answer, 429, "rate_limited")
    assert int(answer.headers["retry-after"]) <= rate_limits.LONGEST_SHARED.total_seconds()
    assert (await guess(ada.http, ada.name, unknown, PASSWORD)).status_code == 200
    assert (await guess(owner, bob.name, unknown, PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "\U00020000" * 256,
        "\r\n" * 128,
        "ﬃ" * 256,
        "ẞ" * 256,
        "a' OR ''='",
        '{"event": "x"}',
        "\x1b[2J",
        "*.>",
        "x" * 256,
    ],
)
async def test_a_name_may_be_anything(nobody, name: str) -> None:
    """In an index row, in a line of the security log, and in its other case."""
    with structlog.testing.capture_logs() as logs:
        assert_problem(await guess(nobody, name, "203.0.113.90"), 401, "invalid_credentials")
    assert all("\n" not in json.dumps(entry) for entry in logs)


async def test_a_device_that_is_known_is_counted_by_itself(ada, nobody) -> None:
    """Even where the attacker is behind the same address, and has used it up."""
    await guess_until_delayed(nobody, ada.name)
    assert (await guess(ada.http, ada.name, ATTACKER, PASSWORD)).status_code == 200
    await guess_until_delayed(ada.http, ada.name)  # its own guesses delay it as anybody's
    assert_problem(await guess(ada.http, ada.name, ATTACKER, PASSWORD), 429, "rate_limited")


async def test_it_is_known_after_signing_out_and_for_several_users(ada, bob, nobody) -> None:
    for person in (ada, bob):
        assert (await guess(ada.http, person.name, "198.51.100.2", PASSWORD)).status_code == 200
    await ada.http.post("/api/auth/logout")
    for person in (ada, bob):
        await guess_until_delayed(nobody, person.name, "198.51.100.2")
        assert (await guess(ada.http, person.name, "198.51.100.2", PASSWORD)).status_code == 200


async def test_it_is_known_for_its_own_users_only(ada, bob, nobody) -> None:
    await guess_until_delayed(nobody, bob.name, "203.0.113.90")
    assert_problem(await guess(ada.http, bob.name, "203.0.113.90", PASSWORD), 429, "rate_limited")


@pytest.mark.parametrize(
    "forged", ["", "x", "a.b.c", "~~~", "..", "a.1.b~a.99999999999999999999.b", "é.1.x", "a" * 3000]
)
def test_a_made_up_device_cookie_is_none(forged: str) -> None:
    assert Devices(b"key").known(forged, "ada") is None


def test_a_device_cookie_is_bound_to_its_key_its_name_and_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = Devices(b"key").remember("", "Ada")
    assert Devices(b"key").known(cookie, "aDA")
    assert Devices(b"key").known(cookie, "bob") is None
    assert Devices(b"other").known(cookie, "ada") is None
    device_id, expires, signature = cookie.split(".")
    assert Devices(b"key").known(f"{device_id}.{int(expires) + 1}.{signature}", "ada") is None
    monkeypatch.setattr("gateway.accounts.devices.time.time", lambda: int(expires) + 1)
    assert Devices(b"key").known(cookie, "ada") is None


def test_a_device_remembers_its_last_users() -> None:
    devices, cookie = Devices(b"key"), ""
    for number in range(7):
        cookie = devices.remember(cookie, f"user{number}")
        cookie = devices.remember(cookie, f"user{number}")
    assert [bool(devices.known(cookie, f"user{number}")) for number in range(7)] == [False] * 2 + [True] * 5


async def test_guesses_of_one_address_delay_it_whatever_the_names(ada, settings, agent) -> None:
    strict = settings.model_copy(update={"sign_ins_per_address": 3, "registrations_per_address": 2})
    async with running(strict) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        statuses = [(await guess(http, new_name(), "203.0.113.7")).status_code for _ in range(4)]
        assert statuses == [401, 401, 401, 429]
        statuses = []
        for _ in range(3):
            body = {"username": new_name(), "password": PASSWORD}
            answer = await http.post("/api/auth/register", json=body, headers=at("203.0.113.7"))
            statuses.append(answer.status_code)
        assert statuses == [201, 201, 429]
        body = {"username": new_name(), "password": PASSWORD}
        forwarded = at("6.6.6.6, 203.0.113.8")
        assert (await http.post("/api/auth/register", json=body, headers=forwarded)).status_code == 201


async def test_attempts_that_others_share_are_forgotten_though_they_go_on(
    settings: Settings, agent, postgres: Postgres
) -> None:
    """Those of a large office: the window ends some time after its first attempt. Here the clock goes on by hand."""
    strict = settings.model_copy(update={"registrations_per_address": 3})
    later = "UPDATE accounts.attempts SET resets_at = resets_at - interval '8 minutes' WHERE key LIKE '%203.0.113.9'"
    db = await asyncpg.connect(postgres.dsn("accounts"))
    async with running(strict) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for _ in range(6):
            body = {"username": new_name(), "password": PASSWORD}
            answer = await http.post("/api/auth/register", json=body, headers=at("203.0.113.9"))
            assert answer.status_code == 201
            await db.execute(later)
    await db.close()


async def test_an_address_that_has_to_wait_counts_against_no_name(ada, settings, agent, postgres: Postgres) -> None:
    strict = settings.model_copy(update={"sign_ins_per_address": 2})
    async with running(strict) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        for _ in range(2):
            await guess(http, new_name(), "203.0.113.17")
        for _ in range(20):
            assert (await guess(http, ada.name, "203.0.113.17")).status_code == 429
    db = await asyncpg.connect(postgres.dsn("accounts"))
    counted = await db.fetch("SELECT key FROM accounts.attempts WHERE key LIKE $1", f"%{ada.name}")
    await db.close()
    assert counted == []


async def test_all_of_many_guesses_at_once_are_counted(ada, nobody, settings) -> None:
    answers = await asyncio.gather(*(guess(nobody, ada.name, "203.0.113.18") for _ in range(20)))
    assert sorted(answer.status_code for answer in answers).count(401) == settings.sign_ins_per_name


async def test_the_owner_can_always_change_the_password(ada, nobody, settings) -> None:
    await guess_until_delayed(nobody, ada.name)
    change = {"current": PASSWORD, "new": "another one"}
    assert (await ada.http.post("/api/auth/password", json=change, headers=at(ATTACKER))).status_code == 204
    wrong = {"current": PASSWORD, "new": "a third one"}
    statuses = [
        (await ada.http.post("/api/auth/password", json=wrong)).status_code
        for _ in range(settings.sign_ins_per_name + 1)
    ]
    assert statuses == [401] * settings.sign_ins_per_name + [429]


async def test_changing_the_password_gives_the_session_a_new_cookie(ada, nobody, gateway: str) -> None:
    old = ada.cookie
    change = {"current": PASSWORD, "new": "another one"}
    assert (await ada.http.post("/api/auth/password", json=change)).status_code == 204
    assert ada.cookie != old
    assert (await ada.http.get("/api/auth/me")).status_code == 200
    async with httpx.AsyncClient(base_url=gateway, cookies={"inkstream_session": old}) as thief:
        assert_problem(await thief.get("/api/auth/me"), 401, "auth_required")


async def test_a_user_has_a_bounded_number_of_sessions(ada, gateway: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.accounts.service.SESSIONS_PER_USER", 3)
    for _ in range(3):
        async with httpx.AsyncClient(base_url=gateway) as http:
            assert (await guess(http, ada.name, "198.51.100.3", PASSWORD)).status_code == 200
    assert_problem(await ada.http.get("/api/auth/me"), 401, "auth_required")


async def test_the_security_log_says_what_happened_and_where(ada, nobody) -> None:
    with structlog.testing.capture_logs() as lines:
        await guess_until_delayed(nobody, ada.name, "203.0.113.20")
        await guess(nobody, "my password by mistake", "203.0.113.21")
        await guess(nobody, ada.name, "203.0.113.22", PASSWORD)
        change = {"current": "wrong", "new": "another one"}
        await ada.http.post("/api/auth/password", json=change, headers=at("203.0.113.23"))
        await ada.http.post("/api/auth/password", json=change | {"current": PASSWORD}, headers=at("203.0.113.24"))
    log = [line for line in lines if line.get("log") == "security"]
    refused = {"event": "sign-in refused", "log": "security", "log_level": "warning"}
    assert log[0] == refused | {"address": "203.0.113.20", "username": ada.name, "reason": "credentials"}
    assert refused | {"address": "203.0.113.20", "username": None, "reason": "rate_limited"} in log
    assert refused | {"address": "203.0.113.21", "username": None, "reason": "credentials"} in log
    assert [(line["event"], line["address"]) for line in log[-3:]] == [
        ("signed in", "203.0.113.22"),
        ("password change refused", "203.0.113.23"),
        ("password changed", "203.0.113.24"),
    ]
    for secret in (PASSWORD, "a guess", "another one", "my password by mistake"):
        assert secret not in json.dumps(log)
