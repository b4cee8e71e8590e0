"""The connection to PostgreSQL: values are returned unchanged, and a start without a database."""

import time

import pytest

from servicekit import database
from servicekit.errors import Unreachable
from standalone.ports import free_port
from standalone.postgres import Postgres


async def test_json_goes_and_comes_as_values(postgres: Postgres):
    value = {"title": "Ünïcode 😀", "list": [1, 2.5, None, True], "nested": {"a": "\u2028"}}
    async with database.pool(postgres.dsn("notes"), "notes") as pool:
        assert await pool.fetchval("SELECT $1::jsonb", value) == value
        assert await pool.fetchval("SHOW search_path") == "notes"


@pytest.mark.parametrize("reason", ["no server", "wrong password"])
async def test_a_start_without_a_database_is_given_up(postgres: Postgres, monkeypatch, tmp_path, reason):
    monkeypatch.setattr(database, "START_SECONDS", 0.5)
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "0001_initial.py").touch()
    dsn = {
        "no server": f"postgresql://notes:x@127.0.0.1:{free_port()}/inkstream",
        "wrong password": f"postgresql://notes:wrong@127.0.0.1:{postgres.port}/inkstream",
    }[reason]
    started = time.monotonic()
    with pytest.raises(Unreachable, match="PostgreSQL"):
        await database.migrate(dsn, "notes", tmp_path)
    assert time.monotonic() - started < 5
