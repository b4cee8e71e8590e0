"""Keeps a note's history from growing without end: the oldest and the newest versions stay, the middle gets thinner."""

from datetime import timedelta
from typing import Any

THIN_EVERY = 16
"""So many versions of a note pass between two looks at how many there are."""
MOST_LISTED = 200
NEWEST_KEPT = 100
"""Of those listed, so many of the newest are left alone."""
MOST_UNLISTED = 50
"""The newest versions of a note that are kept though its history leaves them out; those that a key needs come to it."""
UNLISTED_KEPT = timedelta(days=1)
NEEDED = timedelta(hours=1)
"""So long a key needs the version that it made. The page names one with every save: without an end to it, each save of
a week would be kept whole."""

# Of two versions equally near their neighbours the older one goes: what is long ago is kept in larger steps.
THIN = """
WITH listed AS (
    SELECT version,
           row_number() OVER (ORDER BY version DESC) AS place,
           extract(epoch FROM lead(created_at) OVER around - lag(created_at) OVER around)
               / greatest(extract(epoch FROM statement_timestamp() - created_at), 1) AS apart
    FROM revisions WHERE user_id = $1 AND note_id = $2 AND listed
    WINDOW around AS (ORDER BY version)
)
UPDATE revisions SET listed = false WHERE user_id = $1 AND note_id = $2 AND version IN (
    SELECT version FROM listed WHERE place > $4 AND apart IS NOT NULL ORDER BY apart, version
    LIMIT greatest((SELECT count(*) FROM listed) - $3, 0)
)
"""
FORGET_OF_NOTE = """
DELETE FROM revisions AS r WHERE user_id = $1 AND note_id = $2 AND NOT listed AND version < (
    SELECT version FROM revisions WHERE user_id = $1 AND note_id = $2 AND NOT listed ORDER BY version DESC
    LIMIT 1 OFFSET $3
) AND NOT EXISTS (
    SELECT FROM idempotency AS k WHERE (k.user_id, k.note_id, k.version) = (r.user_id, r.note_id, r.version)
                                       AND k.created_at > now() - $4::interval
)
"""
FORGET_OLD = "DELETE FROM revisions WHERE NOT listed AND created_at < now() - $1::interval"


async def thin(db: Any, user_id: str, note_id: str) -> None:
    await db.execute(THIN, user_id, note_id, MOST_LISTED, NEWEST_KEPT)
    await db.execute(FORGET_OF_NOTE, user_id, note_id, MOST_UNLISTED - 1, NEEDED)


async def forget_unlisted(db: Any) -> None:
    """Of all users; needs no lock, as nothing that is left out comes back."""
    await db.execute(FORGET_OLD, UNLISTED_KEPT)
