"""Notes as they are: one, a page of them, an overview."""

# ruff: noqa: S608  (what is put together here are our own pieces of SQL; values are arguments)

from asyncpg.pool import Pool
from contracts.errors import NotFound
from contracts.notes import ListNotes, Note, NotesOverview, NoteSummary, Sort

from notes_service.page_cursor import Position
from notes_service.repository import rows
from notes_service.repository.connections import connection

ONE = f"SELECT {rows.NOTE} FROM notes WHERE user_id = $1 AND id = $2"

# what a list shows: the trash, or else the notes that are archived or those that are not
TRASH = "deleted_at IS NOT NULL"
SHELF = "deleted_at IS NULL AND archived = $3"

# pinned notes first in each; a row comparison in the order of an index
ORDERS: dict[Sort, tuple[str, str, str]] = {
    "updated": ("(pinned, updated_at, id) < ($5, $6, $7)", "pinned DESC, updated_at DESC, id DESC", "timestamptz"),
    "created": ("(pinned, created_at, id) < ($5, $6, $7)", "pinned DESC, created_at DESC, id DESC", "timestamptz"),
    "title": ("(NOT pinned, title_key, id) > (NOT $5, $6, $7)", "NOT pinned, title_key, id", "text"),
}

COUNT = "SELECT count(*) FROM notes WHERE user_id = $1 AND deleted_at IS NULL"
NEWEST = f"""
SELECT {rows.SUMMARY} FROM notes WHERE user_id = $1 AND deleted_at IS NULL ORDER BY updated_at DESC, id DESC LIMIT $2
"""


class Reading:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def note(self, user_id: str, note_id: str) -> Note:
        """In the trash or not. Raises `NotFound`."""
        async with connection(self.pool) as db:
            row = await db.fetchrow(ONE, user_id, note_id)
        if row is None:
            raise NotFound("There is no such note.")
        return rows.note(row)

    async def page(self, asked: ListNotes, after: Position | None) -> list[NoteSummary]:
        """One more than asked for where there are more."""
        arguments = [asked.actor.user_id, asked.limit + 1, asked.archived, asked.tag]
        if after is not None:
            arguments += [after.pinned, after.value, after.id]
        async with connection(self.pool) as db:
            return [rows.summary(row) for row in await db.fetch(_page(asked, after is not None), *arguments)]

    async def overview(self, user_id: str, newest: int) -> NotesOverview:
        async with connection(self.pool) as db:
            count = await db.fetchval(COUNT, user_id)
            found = await db.fetch(NEWEST, user_id, newest)
        return NotesOverview(count=count, newest=[rows.summary(row) for row in found])


def _page(asked: ListNotes, is_later: bool) -> str:
    later, order, _ = ORDERS[asked.sort]
    return f"""
        SELECT {rows.SUMMARY} FROM notes
        WHERE user_id = $1 AND {TRASH if asked.trashed else SHELF} AND ($4::text IS NULL OR $4 = ANY (tags))
        {f"AND {later}" if is_later else ""}
        ORDER BY {order} LIMIT $2
    """
