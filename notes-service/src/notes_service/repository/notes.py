"""Current notes: one, a page of them, an overview, all of them."""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

from functools import cache

from asyncpg.pool import Pool

from contracts.errors import NotFound
from contracts.notes import (
    TAGS_COUNTED_MAX,
    CountedTag,
    CountTags,
    ListNotes,
    Note,
    NotesOverview,
    NoteSummary,
    Sort,
    TagCounts,
)
from notes_service.folding import sort_key
from notes_service.page_cursor import Position
from notes_service.quota import Usage
from notes_service.repository import note_columns
from notes_service.repository.connections import connection
from servicekit.sql import Statement

NOTE = Statement(f"SELECT {note_columns.NOTE} FROM notes WHERE user_id = :user_id AND id = :note_id")

# Pinned notes come first. The row comparison follows the order of an index, so that every page costs the same.
ORDERS: dict[Sort, tuple[str, str]] = {
    "updated": (
        "pinned DESC, updated_at DESC, id DESC",
        "(pinned, updated_at, id) < (:after_pinned, :after_key, :after_id)",
    ),
    "created": (
        "pinned DESC, created_at DESC, id DESC",
        "(pinned, created_at, id) < (:after_pinned, :after_key, :after_id)",
    ),
    "title": (
        "NOT pinned, title_key, id",
        "(NOT pinned, title_key, id) > (NOT :after_pinned, :after_key, :after_id)",
    ),
}

# At least one note, and as many as have about a megabyte of text.
NEXT_BATCH = Statement(f"""
WITH sized AS (
    SELECT id, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS before FROM (
        SELECT id, body FROM notes
        WHERE user_id = :user_id AND deleted_at IS NULL AND (:after::uuid IS NULL OR id > :after::uuid)
        ORDER BY id LIMIT :most_notes
    ) AS next
)
SELECT {note_columns.NOTE} FROM notes JOIN sized USING (id)
WHERE user_id = :user_id AND before < :most_bytes ORDER BY id
""")
TITLES = Statement("""
SELECT id::text, title FROM notes
WHERE user_id = :user_id AND deleted_at IS NULL AND (:after::uuid IS NULL OR id > :after::uuid)
ORDER BY id LIMIT :most_notes
""")
BATCH_NOTES = 200
BATCH_BYTES = 1024 * 1024

# A note counts once for each tag and for all that it is nested in, however many of its tags are nested there.
TAGS = {
    shelf: Statement(f"""
    SELECT tag, count(*) FROM (
        SELECT DISTINCT id, array_to_string(parts[1 : depth], '/') AS tag
        FROM notes, unnest(tags) AS whole, string_to_array(whole, '/') AS parts,
             generate_series(1, cardinality(parts)) AS depth
        WHERE user_id = :user_id AND {condition}
    ) AS counted WHERE tag <> '' GROUP BY tag ORDER BY count(*) DESC, tag LIMIT :limit
    """)
    for shelf, condition in {
        "trash": "deleted_at IS NOT NULL",
        "archive": "deleted_at IS NULL AND archived",
        "notes": "deleted_at IS NULL AND NOT archived",
    }.items()
}

USAGE = Statement("SELECT notes, bytes, revision_bytes - bytes AS history FROM feed WHERE user_id = :user_id")
# The newest of the pinned notes and of the others, each from the list's index. One row without a note if there is none.
OVERVIEW = Statement(f"""
WITH newest AS (
    SELECT note.* FROM (VALUES (true), (false)) AS places (is_pinned), LATERAL (
        SELECT {note_columns.SUMMARY} FROM notes
        WHERE user_id = :user_id AND deleted_at IS NULL AND NOT archived AND pinned = is_pinned
        ORDER BY updated_at DESC, id DESC LIMIT :limit
    ) AS note
    ORDER BY updated_at DESC, id DESC LIMIT :limit
)
SELECT newest.*, counted.count
FROM (SELECT count(*) FROM notes WHERE user_id = :user_id AND deleted_at IS NULL AND NOT archived) AS counted
LEFT JOIN newest ON true ORDER BY updated_at DESC, id DESC
""")


class NoteRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def note(self, user_id: str, note_id: str) -> Note:
        """In the trash or not. Raises `NotFound`."""
        async with connection(self.pool) as db:
            row = await db.fetchrow(*NOTE(user_id=user_id, note_id=note_id))
        if row is None:
            raise NotFound("There is no such note.")
        return note_columns.note(row)

    async def page(self, request: ListNotes, after: Position | None) -> list[NoteSummary]:
        """At most `request.limit + 1` notes: an extra one shows that there is another page."""
        values = {"user_id": request.actor.user_id, "limit": request.limit + 1, "tag": request.tag}
        if request.title is not None:
            values["title_key"] = sort_key(request.title)
        if after is not None:
            values |= {"after_pinned": after.pinned, "after_key": after.value, "after_id": after.id}
        statement = _page(
            request.sort,
            is_trash=request.trashed,
            is_archive=request.archived,
            has_title=request.title is not None,
            is_continued=after is not None,
        )
        async with connection(self.pool) as db:
            return note_columns.note_summaries(await db.fetch(*statement(**values)))

    async def tags(self, request: CountTags) -> TagCounts:
        shelf = "trash" if request.trashed else "archive" if request.archived else "notes"
        async with connection(self.pool) as db:
            rows = await db.fetch(*TAGS[shelf](user_id=request.actor.user_id, limit=TAGS_COUNTED_MAX + 1))
        counted = [CountedTag(tag=row["tag"], count=row["count"]) for row in rows[:TAGS_COUNTED_MAX]]
        counted.sort(key=lambda one: (sort_key(one.tag), one.tag))
        return TagCounts(tags=counted, is_complete=len(rows) <= TAGS_COUNTED_MAX)

    async def next_batch(self, user_id: str, after: str | None) -> list[Note]:
        """The next notes outside the trash by id, with their texts, about 1 MiB of them; empty after the last."""
        statement = NEXT_BATCH(user_id=user_id, after=after, most_notes=BATCH_NOTES, most_bytes=BATCH_BYTES)
        async with connection(self.pool) as db:
            return [note_columns.note(row) for row in await db.fetch(*statement)]

    async def next_titles(self, user_id: str, after: str | None, limit: int) -> list[tuple[str, str]]:
        """The ids and titles of the next notes outside the trash by id; empty after the last."""
        statement = TITLES(user_id=user_id, after=after, most_notes=limit)
        async with connection(self.pool) as db:
            return [(row["id"], row["title"]) for row in await db.fetch(*statement)]

    async def usage(self, user_id: str) -> Usage:
        async with connection(self.pool) as db:
            row = await db.fetchrow(*USAGE(user_id=user_id))
        return Usage(row["notes"], row["bytes"], row["history"]) if row else Usage(0, 0, 0)

    async def overview(self, user_id: str, newest: int) -> NotesOverview:
        """The overview of the notes that are neither in the trash nor archived."""
        async with connection(self.pool) as db:
            rows = await db.fetch(*OVERVIEW(user_id=user_id, limit=newest))
        notes = note_columns.note_summaries(row for row in rows if row["id"] is not None)
        return NotesOverview(count=rows[0]["count"], newest=notes)


@cache
def _page(sort: Sort, *, is_trash: bool, is_archive: bool, has_title: bool, is_continued: bool) -> Statement:
    """One statement for each combination of filters, so that each is planned for the index that it can use."""
    order, later = ORDERS[sort]
    conditions = [
        "user_id = :user_id",
        "deleted_at IS NOT NULL" if is_trash else "deleted_at IS NULL",
        *([] if is_trash else ["archived" if is_archive else "NOT archived"]),
        "(:tag::text IS NULL OR :tag = ANY (tags)"
        " OR EXISTS (SELECT FROM unnest(tags) AS tag WHERE starts_with(tag, :tag || '/')))",
        *(["title_key = :title_key"] if has_title else []),
        *([later] if is_continued else []),
    ]
    return Statement(
        f"SELECT {note_columns.SUMMARY} FROM notes WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT :limit"
    )
