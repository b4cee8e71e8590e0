"""Notes as they are: one, a page of them, an overview."""

# ruff: noqa: S608  (what is put together here are our own pieces of SQL; values are arguments)

from asyncpg.pool import Pool

from contracts.errors import NotFound
from contracts.notes import ListNotes, Note, NotesOverview, NoteSummary, Sort
from notes_service.folding import sort_key
from notes_service.page_cursor import Position
from notes_service.repository import rows
from notes_service.repository.connections import connection

ONE = f"SELECT {rows.NOTE} FROM notes WHERE user_id = $1 AND id = $2"

# pinned notes first in each; a row comparison in the order of an index
ORDERS: dict[Sort, tuple[str, str]] = {
    "updated": ("pinned DESC, updated_at DESC, id DESC", "(pinned, updated_at, id) < ($5, $6, $7)"),
    "created": ("pinned DESC, created_at DESC, id DESC", "(pinned, created_at, id) < ($5, $6, $7)"),
    "title": ("NOT pinned, title_key, id", "(NOT pinned, title_key, id) > (NOT $5, $6, $7)"),
}

# for an export: so many notes that their texts are about a megabyte, and one at least
WHOLE = f"""
WITH sized AS (
    SELECT id, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS before FROM (
        SELECT id, body FROM notes WHERE user_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR id > $2::uuid)
        ORDER BY id LIMIT $3
    ) AS next
)
SELECT {rows.NOTE} FROM notes JOIN sized USING (id) WHERE user_id = $1 AND before < $4 ORDER BY id
"""
WHOLE_NOTES = 200
WHOLE_BYTES = 1024 * 1024

COUNT = "SELECT count(*) FROM notes WHERE user_id = $1 AND deleted_at IS NULL AND NOT archived"
# the newest of the pinned notes and of the others, each by the index of the list
NEWEST = f"""
SELECT newest.* FROM (VALUES (true), (false)) AS places (is_pinned), LATERAL (
    SELECT {rows.SUMMARY} FROM notes
    WHERE user_id = $1 AND deleted_at IS NULL AND NOT archived AND pinned = is_pinned
    ORDER BY updated_at DESC, id DESC LIMIT $2
) AS newest
ORDER BY updated_at DESC, id DESC LIMIT $2
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
        title = sort_key(asked.title) if asked.title is not None else None
        arguments = [asked.actor.user_id, asked.limit + 1, asked.tag, title]
        if after is not None:
            arguments += [after.pinned, after.value, after.id]
        async with connection(self.pool) as db:
            return [rows.summary(row) for row in await db.fetch(_page(asked, after is not None), *arguments)]

    async def whole(self, user_id: str, after: str | None) -> list[Note]:
        """The next notes outside the trash in the order of their ids, with their texts; none after the last."""
        async with connection(self.pool) as db:
            return [rows.note(row) for row in await db.fetch(WHOLE, user_id, after, WHOLE_NOTES, WHOLE_BYTES)]

    async def overview(self, user_id: str, newest: int) -> NotesOverview:
        """Of the notes that are neither in the trash nor archived."""
        async with connection(self.pool) as db:
            count = await db.fetchval(COUNT, user_id)
            found = await db.fetch(NEWEST, user_id, newest)
        return NotesOverview(count=count, newest=[rows.summary(row) for row in found])


def _page(asked: ListNotes, is_later: bool) -> str:
    if asked.trashed:
        shelf = "deleted_at IS NOT NULL"
    else:
        shelf = "deleted_at IS NULL AND " + ("archived" if asked.archived else "NOT archived")
    called = "$4::text IS NULL" if asked.title is None else "title_key = $4"
    order, later = ORDERS[asked.sort]
    return f"""
        SELECT {rows.SUMMARY} FROM notes
        WHERE user_id = $1 AND {shelf} AND ($3::text IS NULL OR $3 = ANY (tags)) AND {called}
              {f"AND {later}" if is_later else ""}
        ORDER BY {order} LIMIT $2
    """
