"""The schema is created once by any replica, and a repeated migration does nothing."""

import asyncio

import asyncpg
import pytest

from notes_service.main import MIGRATIONS
from servicekit.database import migrate

SCHEMA = "fresh_notes"
NEWEST = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))


@pytest.fixture
async def admin(postgres):
    db = await asyncpg.connect(postgres.dsn())
    await db.execute(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION notes")
    yield db
    await db.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    await db.close()


async def tables(admin) -> set[str]:
    rows = await admin.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", SCHEMA)
    return {row["tablename"] for row in rows}


async def test_any_number_of_replicas_may_start_at_once(admin, postgres):
    await asyncio.gather(*(migrate(postgres.dsn("notes"), SCHEMA, MIGRATIONS) for _ in range(4)))
    made = await tables(admin)
    assert {"notes", "revisions", "changes", "feed", "idempotency", "note_words"} <= made
    assert await admin.fetchval(f"SELECT version_num FROM {SCHEMA}.alembic_version") == max(
        path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py")
    )
    await migrate(postgres.dsn("notes"), SCHEMA, MIGRATIONS)
    assert await tables(admin) == made


async def test_every_table_and_index_begins_with_the_user_or_is_for_search_or_retention(admin, postgres):
    await migrate(postgres.dsn("notes"), SCHEMA, MIGRATIONS)
    rows = await admin.fetch("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = $1", SCHEMA)
    others = [
        row["indexdef"] for row in rows if "(user_id" not in row["indexdef"] and "note_words" not in row["indexdef"]
    ]
    assert all("brin (created_at)" in index or "alembic_version" in index for index in others)
