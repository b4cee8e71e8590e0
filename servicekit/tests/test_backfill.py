"""The data step of a migration, with rows that the database refuses."""

from collections.abc import AsyncGenerator

import pytest
import sqlalchemy
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from servicekit.backfill import backfill
from standalone.postgres import Postgres

KEEP = sqlalchemy.text("INSERT INTO notes.probe (id, share) VALUES (:id, 100 / CAST(:parts AS int))")


@pytest.fixture
async def db(postgres: Postgres) -> AsyncGenerator[AsyncConnection]:
    dsn = postgres.dsn("notes").replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(dsn, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(sqlalchemy.text("CREATE TABLE notes.probe (id int PRIMARY KEY, share int)"))
        yield connection
        await connection.rollback()
    await engine.dispose()


async def stored(db: AsyncConnection) -> list[tuple[int, int]]:
    return [tuple(row) for row in await db.execute(sqlalchemy.text("SELECT id, share FROM notes.probe ORDER BY id"))]


async def test_a_row_that_cannot_be_taken_is_skipped_and_named_by_its_id(db: AsyncConnection, capsys):
    rows = [{"id": 1, "parts": 4}, {"id": 2, "parts": 0}, {"id": 1, "parts": 5}, {"id": 3, "parts": 2}]
    assert await db.run_sync(backfill, KEEP, rows, identity=("id",)) == 2
    assert await stored(db) == [(1, 25), (3, 50)]
    output = capsys.readouterr().out
    assert "sqlstate=22012" in output
    assert "sqlstate=23505" in output
    assert "parts" not in output


async def test_rows_without_trouble_and_none(db: AsyncConnection, capsys):
    assert await db.run_sync(backfill, KEEP, [], identity=("id",)) == 0
    assert await db.run_sync(backfill, KEEP, [{"id": 1, "parts": 1}], identity=("id",)) == 0
    assert await stored(db) == [(1, 100)]
    assert not capsys.readouterr().out


async def test_what_no_value_brings_about_ends_the_migration(db: AsyncConnection):
    wrong = sqlalchemy.text("INSERT INTO nowhere (id) VALUES (:id)")
    with pytest.raises(DBAPIError):
        await db.run_sync(backfill, wrong, [{"id": 1}], identity=("id",))
