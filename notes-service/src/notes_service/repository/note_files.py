"""How the files wrote the front matter of the notes that were imported from them: for their export."""

from collections.abc import Sequence
from typing import Any

from asyncpg.pool import Pool

from notes_service.repository.connections import connection
from servicekit.sql import Statement

STORE = Statement("""
INSERT INTO note_files (user_id, note_id, front_matter) VALUES (:user_id, :note_id, :front_matter)
ON CONFLICT (user_id, note_id) DO UPDATE SET front_matter = excluded.front_matter
WHERE note_files.front_matter <> excluded.front_matter
""")
FRONT_MATTER = Statement("""
SELECT note_id::text, front_matter FROM note_files WHERE user_id = :user_id AND note_id = ANY (:note_ids::uuid[])
""")


async def store_front_matter(db: Any, user_id: str, note_id: str, front_matter: str) -> None:
    """To be called in the transaction of a write."""
    await db.execute(*STORE(user_id=user_id, note_id=note_id, front_matter=front_matter))


async def front_matter(pool: Pool, user_id: str, note_ids: Sequence[str]) -> dict[str, str]:
    """By the ids of those of the notes that have some."""
    async with connection(pool) as db:
        rows = await db.fetch(*FRONT_MATTER(user_id=user_id, note_ids=list(note_ids)))
    return {row["note_id"]: row["front_matter"] for row in rows}
