"""Bounds the history of a note: the first and the newest versions stay, the versions between get sparse.

**Listed** versions are what the history shows. Once there are more than `LISTED_MAX` of a note, those are unlisted one
by one whose neighbours are nearest to each other in time, in proportion to how long ago they are: so the distance
between versions grows with their age. The first version has no neighbour before it and is never unlisted; nor are the
`NEWEST_LISTED`. At most `PRUNE_EVERY` versions come between two runs, so there are never more than `LISTED_MAX +
PRUNE_EVERY` listed.

**Unlisted** versions, those inside a burst included, are kept for a while: a repeated write is answered with the
version it made, and two edits that met are merged on their common ancestor. They are deleted past `UNLISTED_MAX` of a
note, unless an idempotency key younger than `KEY_NEEDS_VERSION` points to them, and past `UNLISTED_RETENTION` in any
case. Nothing becomes listed again, so what is deleted here is never missed.
"""

from datetime import timedelta
from typing import Any

from servicekit.sql import Statement

PRUNE_EVERY = 16
"""Versions of a note between two runs."""
LISTED_MAX = 200
NEWEST_LISTED = 100
UNLISTED_MAX = 50
UNLISTED_RETENTION = timedelta(days=1)
KEY_NEEDS_VERSION = timedelta(hours=1)
"""The page sends a key with every save. If keys held their versions for their whole retention period, each save of a
week would be stored in full."""

# Of two versions whose neighbours are equally near, the older one is unlisted.
UNLIST = Statement("""
WITH listed AS (
    SELECT version,
           row_number() OVER (ORDER BY version DESC) AS place,
           extract(epoch FROM lead(created_at) OVER around - lag(created_at) OVER around)
               / greatest(extract(epoch FROM statement_timestamp() - created_at), 1) AS distance
    FROM revisions WHERE user_id = :user_id AND note_id = :note_id AND listed
    WINDOW around AS (ORDER BY version)
)
UPDATE revisions SET listed = false WHERE user_id = :user_id AND note_id = :note_id AND version IN (
    SELECT version FROM listed WHERE place > :newest AND distance IS NOT NULL ORDER BY distance, version
    LIMIT greatest((SELECT count(*) FROM listed) - :most, 0)
)
""")
DELETE_UNLISTED_OF_NOTE = Statement("""
DELETE FROM revisions AS r WHERE user_id = :user_id AND note_id = :note_id AND NOT listed AND version < (
    SELECT version FROM revisions WHERE user_id = :user_id AND note_id = :note_id AND NOT listed ORDER BY version DESC
    LIMIT 1 OFFSET :most - 1
) AND NOT EXISTS (
    SELECT FROM idempotency AS k WHERE (k.user_id, k.note_id, k.version) = (r.user_id, r.note_id, r.version)
                                       AND k.created_at > now() - :key_needs::interval
)
""")
DELETE_OLD_UNLISTED = Statement("DELETE FROM revisions WHERE NOT listed AND created_at < now() - :retention::interval")


async def prune_history(db: Any, user_id: str, note_id: str) -> None:
    """To be called in the transaction of a write, which holds the lock on the user's feed."""
    await db.execute(*UNLIST(user_id=user_id, note_id=note_id, newest=NEWEST_LISTED, most=LISTED_MAX))
    await db.execute(
        *DELETE_UNLISTED_OF_NOTE(user_id=user_id, note_id=note_id, most=UNLISTED_MAX, key_needs=KEY_NEEDS_VERSION)
    )


async def delete_old_unlisted(db: Any) -> None:
    """For all users. Needs no lock, because unlisted versions never become listed again."""
    await db.execute(*DELETE_OLD_UNLISTED(retention=UNLISTED_RETENTION))
