"""The links between notes: which note's text links to which title."""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

from collections.abc import Collection
from typing import Any

from asyncpg.pool import Pool

from contracts.errors import NotFound
from contracts.notes import NoteSummary
from notes_service.repository import note_columns
from notes_service.repository.connections import connection
from servicekit.sql import Statement

TITLE_KEY = Statement("SELECT title_key FROM notes WHERE user_id = :user_id AND id = :note_id")
LINKING = Statement(f"""
SELECT {note_columns.SUMMARY} FROM note_links JOIN notes USING (user_id, id)
WHERE user_id = :user_id AND target = :target AND id <> :note_id AND (:below::uuid IS NULL OR id < :below::uuid)
      AND deleted_at IS NULL
ORDER BY id DESC LIMIT :limit
""")
DELETE = Statement(
    "DELETE FROM note_links WHERE user_id = :user_id AND id = :note_id AND target = ANY (:targets::text[])"
)
INSERT = Statement("""
INSERT INTO note_links (user_id, id, target) SELECT :user_id, :note_id, unnest(:targets::text[]) ON CONFLICT DO NOTHING
""")


class LinkRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def linking_to(self, user_id: str, note_id: str, below: str | None, limit: int) -> list[NoteSummary]:
        """The other notes outside the trash whose text links to this note's title, with ids below `below`, highest
        first. Raises `NotFound`."""
        async with connection(self.pool) as db:
            title_key = await db.fetchval(*TITLE_KEY(user_id=user_id, note_id=note_id))
            if title_key is None:
                raise NotFound("There is no such note.")
            rows = await db.fetch(
                *LINKING(user_id=user_id, target=title_key, note_id=note_id, below=below, limit=limit)
            )
        return [note_columns.note_summary(row) for row in rows]


async def update_links(db: Any, user_id: str, note_id: str, before: Collection[str], now: Collection[str]) -> None:
    """To be called in the transaction of a write: the note's text linked to `before` and now links to `now`."""
    if removed := set(before) - set(now):
        await db.execute(*DELETE(user_id=user_id, note_id=note_id, targets=list(removed)))
    if added := set(now) - set(before):
        await db.execute(*INSERT(user_id=user_id, note_id=note_id, targets=list(added)))
