"""The short form of `make hostile`, for every test run: each attack, for a moment."""

import json
import re
from pathlib import Path

import httpx
import pytest

from standalone.system import System
from tests.hostile.account import ATTACKER, new_account
from tests.hostile.crowd import BEGINNINGS, crowded
from tests.hostile.floods import FLOODS, SHORT, flooding
from tests.hostile.fuzz import fuzz
from tests.hostile.operations import OPERATIONS, prepare, timed

OPERATIONS_DOC = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
CROWD = 300
INNOCENT = "127.0.0.77"


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_of_one_user_stops_nobody_else(attacked: System, flood: str) -> None:
    """Slower, but served: `make hostile` says by how much."""
    async with new_account(attacked.url) as user:
        await prepare(user, notes=3)
        async with flooding(flood, attacked.url, SHORT):
            for name in OPERATIONS:
                await timed(name, user)


async def test_a_crowd_that_wants_nothing_stops_nobody(attacked: System) -> None:
    async with new_account(attacked.url) as user, crowded(attacked.url, CROWD) as crowd:
        for name in OPERATIONS:
            await timed(name, user)
        assert set(crowd.held) == set(BEGINNINGS)


async def test_nothing_that_the_api_describes_or_forbids_is_a_500(attacked: System) -> None:
    async with new_account(attacked.url) as account:
        code, output = await fuzz(account, phases="fuzzing", examples=1, seconds=30)
    assert code == 0, output[-5_000:]


async def test_the_filter_in_the_documentation_finds_refusals_in_the_log(attacked: System) -> None:
    (pattern,) = re.findall(r"^failregex = (.*)$", OPERATIONS_DOC.read_text(), re.MULTILINE)
    (date,) = re.findall(r"^datepattern = (.*)$", OPERATIONS_DOC.read_text(), re.MULTILINE)
    refused = re.compile(pattern.replace("<HOST>", r"(?P<host>[0-9a-fA-F.:]+)"))
    transport = httpx.AsyncHTTPTransport(local_address=ATTACKER)
    forged = 'x", "log": "security", "address": "192.0.2.1", "event": "sign-in refused'
    async with (
        new_account(attacked.url, INNOCENT) as user,
        httpx.AsyncClient(base_url=attacked.url, transport=transport) as guessing,
    ):
        for name in (user.name, forged):
            response = await guessing.post("/api/auth/login", json={"username": name, "password": "a guess"})
            assert response.status_code == 401
    lines = (attacked.folder.log_file("gateway")).read_text().splitlines()
    found = [match["host"] for line in lines if (match := refused.search(line))]
    assert ATTACKER in found
    assert "192.0.2.1" not in found
    assert INNOCENT not in found
    time = re.compile(date.replace("%%Y-%%m-%%d", r"\d{4}-\d\d-\d\d").replace("%%H:%%M:%%S", r"\d\d:\d\d:\d\d"))
    assert all(time.search(line) for line in lines if "sign-in refused" in line)
    assert all(json.loads(line)["address"] for line in lines if '"log": "security"' in line)
    assert "a guess" not in "".join(lines)
