"""Bounds the history of a note: the first and the newest versions stay, the versions between get sparse.

**Listed** versions are what the history shows: every one that stood for some seconds. Once there are more than
`LISTED_MAX` of a note, those are unlisted one by one whose neighbours are nearest to each other in time, in proportion
to how long ago they are: so the distance between versions grows with their age. The first version has no neighbour
before it and is never unlisted; nor are the `NEWEST_LISTED`. At most `PRUNE_EVERY` versions come between two runs, so
there are never more than `LISTED_MAX + PRUNE_EVERY` listed.

**Unlisted** versions, those inside a burst included, are kept for a while: a repeated write is answered with the
version it made, and two edits that met are merged on their common ancestor. They are deleted past `UNLISTED_MAX` of a
note, unless an idempotency key younger than `KEY_NEEDS_VERSION` points to them; past `UNLISTED_BYTES` of a note and
past `UNLISTED_RETENTION` in any case. Nothing becomes listed again, so what is deleted here is never missed.

**All versions** of a user together, but for the newest of each note, are bounded by the quota. Where they are more, the
oldest are deleted, the unlisted first. `feed.revision_bytes` counts what is stored: every statement that deletes
versions subtracts what it deleted, under the lock on the user's feed.
"""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

from datetime import timedelta
from typing import Any

from asyncpg.pool import Pool

from notes_service.repository.connections import connection, transaction
from notes_service.repository.note_columns import size
from servicekit.sql import Statement

PRUNE_EVERY = 16
"""Versions of a note between two runs."""
LISTED_MAX = 200
NEWEST_LISTED = 100
UNLISTED_MAX = 50
UNLISTED_BYTES = 2 * 1024 * 1024
UNLISTED_RETENTION = timedelta(days=1)
FREED = 0.1
"""Share of the quota that is freed at once: to look for the oldest versions of all notes takes a while."""
KEY_NEEDS_VERSION = timedelta(hours=1)
"""The page sends a key with every save. If keys held their versions for their whole retention period, each save of a
week would be stored in full."""


def _delete(condition: str) -> Statement:
    """Deletes versions of the user and subtracts their bytes."""
    return Statement(f"""
    WITH deleted AS (
        DELETE FROM revisions AS r WHERE user_id = :user_id AND {condition} RETURNING {size("r")} AS bytes
    )
    UPDATE feed SET revision_bytes = revision_bytes - freed.bytes
    FROM (SELECT coalesce(sum(bytes), 0) AS bytes FROM deleted) AS freed WHERE user_id = :user_id RETURNING freed.bytes
    """)


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
DELETE_UNLISTED_OF_NOTE = _delete("""
note_id = :note_id AND NOT listed AND version < (
    SELECT version FROM revisions WHERE user_id = :user_id AND note_id = :note_id AND NOT listed ORDER BY version DESC
    LIMIT 1 OFFSET :most - 1
) AND NOT EXISTS (
    SELECT FROM idempotency AS k WHERE (k.user_id, k.note_id, k.version) = (r.user_id, r.note_id, r.version)
                                       AND k.created_at > now() - :key_needs::interval
)
""")
DELETE_LARGE_UNLISTED_OF_NOTE = _delete(f"""
note_id = :note_id AND version IN (
    SELECT version FROM (
        SELECT version, sum({size("r")}) OVER (ORDER BY version DESC) AS bytes FROM revisions AS r
        WHERE user_id = :user_id AND note_id = :note_id AND NOT listed
    ) AS newer WHERE newer.bytes > :most_bytes
)
""")
DELETE_OLDEST = _delete(f"""
(note_id, version) IN (
    SELECT note_id, version FROM (
        SELECT note_id, r.version,
               sum({size("r")}) OVER (ORDER BY listed, r.created_at, note_id, r.version) - ({size("r")}) AS older
        FROM revisions AS r JOIN notes AS n ON (n.user_id, n.id) = (r.user_id, r.note_id)
        WHERE r.user_id = :user_id AND r.version < n.version
    ) AS earlier WHERE older < :excess::bigint
)
""")
DELETE_OLD_UNLISTED = _delete("NOT listed AND created_at < now() - :retention::interval")
USERS_WITH_OLD_UNLISTED = Statement("""
SELECT DISTINCT user_id::text FROM revisions WHERE NOT listed AND created_at < now() - :retention::interval
""")
LOCK = Statement("SELECT FROM feed WHERE user_id = :user_id FOR UPDATE")


async def prune_history(db: Any, user_id: str, note_id: str) -> int:
    """To be called in the transaction of a write, which holds the lock on the user's feed. Returns how many bytes were
    deleted."""
    key = {"user_id": user_id, "note_id": note_id}
    await db.execute(*UNLIST(**key, newest=NEWEST_LISTED, most=LISTED_MAX))
    freed = await db.fetchval(*DELETE_UNLISTED_OF_NOTE(**key, most=UNLISTED_MAX, key_needs=KEY_NEEDS_VERSION))
    return freed + await db.fetchval(*DELETE_LARGE_UNLISTED_OF_NOTE(**key, most_bytes=UNLISTED_BYTES))


async def prune_oldest(db: Any, user_id: str, size: int, quota: int) -> int:
    """As `prune_history`, over all notes: the user's history is `size` bytes, and may be `quota`."""
    return await db.fetchval(*DELETE_OLDEST(user_id=user_id, excess=size - round(quota * (1 - FREED))))


async def delete_old_unlisted(pool: Pool) -> None:
    """For all users, each in its own transaction."""
    async with connection(pool) as db:
        users = [row["user_id"] for row in await db.fetch(*USERS_WITH_OLD_UNLISTED(retention=UNLISTED_RETENTION))]
    for user_id in users:
        async with transaction(pool) as db:
            await db.execute(*LOCK(user_id=user_id))
            await db.execute(*DELETE_OLD_UNLISTED(user_id=user_id, retention=UNLISTED_RETENTION))
