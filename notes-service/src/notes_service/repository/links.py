"""Which note's text links to which title."""

# ruff: noqa: S608  (what is put together here are our own pieces of SQL; values are arguments)

from collections.abc import Collection
from typing import Any

from asyncpg.pool import Pool

from contracts.errors import NotFound
from contracts.notes import NoteSummary
from notes_service.repository import rows
from notes_service.repository.connections import connection

TITLE = "SELECT title_key FROM notes WHERE user_id = $1 AND id = $2"
LINKING = f"""
SELECT {rows.SUMMARY} FROM note_links JOIN notes USING (user_id, id)
WHERE user_id = $1 AND target = $2 AND id <> $3 AND ($4::uuid IS NULL OR id < $4::uuid) AND deleted_at IS NULL
ORDER BY id DESC LIMIT $5
"""
FORGET = "DELETE FROM note_links WHERE user_id = $1 AND id = $2 AND target = ANY ($3::text[])"
KEEP = """
INSERT INTO note_links (user_id, id, target) SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING
"""


class Links:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def to(self, user_id: str, note_id: str, below: str | None, limit: int) -> list[NoteSummary]:
        """The other notes outside the trash that link to this one, those with the highest ids first. Raises
        `NotFound`."""
        async with connection(self.pool) as db:
            title = await db.fetchval(TITLE, user_id, note_id)
            if title is None:
                raise NotFound("There is no such note.")
            return [rows.summary(row) for row in await db.fetch(LINKING, user_id, title, note_id, below, limit)]


async def relink(db: Any, user_id: str, note_id: str, before: Collection[str], now: Collection[str]) -> None:
    """In the transaction of a write: the note's text linked to `before`, and links to `now`."""
    if gone := set(before) - set(now):
        await db.execute(FORGET, user_id, note_id, list(gone))
    if new := set(now) - set(before):
        await db.execute(KEEP, user_id, note_id, list(new))
