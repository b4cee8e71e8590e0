"""Files and uploads: what is known of them, and which objects of the store belong to them.

**Invariant: an object that a row refers to is there, and an object that no row refers to is deleted.** An object is
written before the transaction that refers to it, and deleted after the one that removed the last reference, which
records it in `unused_objects`. An object's id is used once and by one row, so no later transaction can refer to what is
being deleted. What a crash leaves between an object and its row is found by its age (`unknown`): a row refers to an
object within a day of its making, or never.
"""

# ruff: noqa: S608  (only fragments of SQL from this module are put together; values are arguments)

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asyncpg.pool import Pool

from contracts.errors import NotFound, QuotaExceeded, RateLimited, UploadConflict, ValidationFailed
from contracts.files import UPLOAD_EXPIRES_HOURS, UPLOADS_MAX, File, FilesUsage, StoredFile, StoredObject, Upload
from notes_service.repository.connections import connection, transaction
from servicekit.sql import Statement

UPLOAD_LIFETIME = timedelta(hours=UPLOAD_EXPIRES_HOURS)
RETRY_AFTER_SECONDS = 10

# The lock on a user's feed, as for the writes of notes: quotas are checked one after another.
LOCK = Statement("SELECT files, file_bytes FROM feed WHERE user_id = :user_id FOR UPDATE")
CREATE_FEED = Statement("INSERT INTO feed (user_id) VALUES (:user_id) ON CONFLICT DO NOTHING")
USAGE = Statement("SELECT files, file_bytes FROM feed WHERE user_id = :user_id")
RESERVED = Statement("""
SELECT count(*) AS uploads, coalesce(sum(length), 0)::bigint AS bytes FROM uploads
WHERE user_id = :user_id AND file_id IS NULL AND expires_at > now()
""")
COUNT = Statement("""
UPDATE feed SET files = files + :files, file_bytes = file_bytes + :bytes WHERE user_id = :user_id
""")

FILE_COLUMNS = """id::text, name, media_type, bytes, width, height, object_id::text,
                  encode(sha256, 'hex') AS sha256"""
FILE = Statement(f"SELECT {FILE_COLUMNS} FROM files WHERE user_id = :user_id AND id = :file_id")
FILE_BY_HASH = Statement(f"SELECT {FILE_COLUMNS} FROM files WHERE user_id = :user_id AND sha256 = :sha256")
CREATE_FILE = Statement(f"""
INSERT INTO files (user_id, id, sha256, object_id, name, media_type, bytes, width, height)
VALUES (:user_id, :file_id, :sha256, :object_id, :name, :media_type, :bytes, :width, :height)
RETURNING {FILE_COLUMNS}
""")
DELETE_FILE = Statement("""
WITH previews AS (
    SELECT user_id, object_id FROM file_previews WHERE user_id = :user_id AND file_id = :file_id
), file AS (
    DELETE FROM files WHERE user_id = :user_id AND id = :file_id RETURNING user_id, object_id, bytes
), objects AS (
    INSERT INTO unused_objects (user_id, object_id)
    SELECT user_id, object_id FROM file
    UNION SELECT user_id, object_id FROM previews WHERE object_id IS NOT NULL
)
UPDATE feed SET files = feed.files - 1, file_bytes = file_bytes - file.bytes
FROM file WHERE feed.user_id = file.user_id RETURNING 1
""")

PREVIEW = Statement("""
SELECT object_id::text, media_type, bytes FROM file_previews
WHERE user_id = :user_id AND file_id = :file_id AND size = :size
""")
CREATE_PREVIEW = Statement("""
INSERT INTO file_previews (user_id, file_id, size, object_id, media_type, bytes)
SELECT user_id, id, :size, :object_id, :media_type, :bytes FROM files WHERE user_id = :user_id AND id = :file_id
ON CONFLICT DO NOTHING RETURNING 1
""")

CREATE_UPLOAD = Statement("""
INSERT INTO uploads (user_id, id, name, length, expires_at)
VALUES (:user_id, :upload_id, :name, :length, now() + :lifetime::interval) RETURNING expires_at
""")
OPEN_UPLOAD = """
SELECT id::text, name, length, received, file_id::text, expires_at FROM uploads
WHERE user_id = :user_id AND id = :upload_id AND expires_at > now()
"""
UPLOAD = Statement(OPEN_UPLOAD)
LOCKED_UPLOAD = Statement(f"{OPEN_UPLOAD} FOR UPDATE")
ADD_PART = Statement("""
WITH part AS (
    INSERT INTO upload_parts (user_id, upload_id, start, object_id, bytes)
    VALUES (:user_id, :upload_id, :start, :object_id, :bytes)
)
UPDATE uploads SET received = received + :bytes WHERE user_id = :user_id AND id = :upload_id
""")
HAS_PART = Statement("""
SELECT EXISTS (
    SELECT FROM upload_parts
    WHERE (user_id, upload_id, start, object_id) = (:user_id, :upload_id, :start, :object_id::uuid)
)
""")
PARTS = Statement("""
SELECT object_id::text, bytes FROM upload_parts WHERE user_id = :user_id AND upload_id = :upload_id ORDER BY start
""")
FINISH = Statement("""
WITH parts AS (DELETE FROM upload_parts WHERE user_id = :user_id AND upload_id = :upload_id RETURNING object_id)
UPDATE uploads SET file_id = :file_id, length = received WHERE user_id = :user_id AND id = :upload_id
""")
DELETE_UPLOAD = Statement("""
WITH parts AS (
    DELETE FROM upload_parts WHERE user_id = :user_id AND upload_id = :upload_id RETURNING user_id, object_id
), objects AS (
    INSERT INTO unused_objects (user_id, object_id) SELECT user_id, object_id FROM parts
)
DELETE FROM uploads WHERE user_id = :user_id AND id = :upload_id
""")
EXPIRED_UPLOADS = Statement("SELECT user_id::text, id::text FROM uploads WHERE expires_at <= now() LIMIT :limit")

UNUSED = Statement("""
INSERT INTO unused_objects (user_id, object_id) SELECT :user_id, unnest(:object_ids::uuid[]) ON CONFLICT DO NOTHING
""")
SOME_UNUSED = Statement("""
SELECT user_id::text, object_id::text FROM unused_objects LIMIT :limit FOR UPDATE SKIP LOCKED
""")
DELETED = Statement("""
DELETE FROM unused_objects USING unnest(:user_ids::uuid[], :object_ids::uuid[]) AS deleted(user_id, object_id)
WHERE (unused_objects.user_id, unused_objects.object_id) = (deleted.user_id, deleted.object_id)
""")
UNKNOWN = Statement("""
SELECT listed.user_id::text, listed.object_id::text
FROM unnest(:user_ids::uuid[], :object_ids::uuid[]) AS listed(user_id, object_id)
WHERE NOT EXISTS (SELECT FROM files f WHERE (f.user_id, f.object_id) = (listed.user_id, listed.object_id))
      AND NOT EXISTS (SELECT FROM file_previews p WHERE (p.user_id, p.object_id) = (listed.user_id, listed.object_id))
      AND NOT EXISTS (SELECT FROM upload_parts u WHERE (u.user_id, u.object_id) = (listed.user_id, listed.object_id))
      AND NOT EXISTS (SELECT FROM unused_objects d WHERE (d.user_id, d.object_id) = (listed.user_id, listed.object_id))
""")

Key = tuple[str, str]
"""Of an object: its user's id and its own."""


@dataclass(frozen=True)
class FileQuota:
    """How many files one user may have, and how many bytes of them."""

    files: int
    size: int


@dataclass(frozen=True)
class Part:
    object_id: str
    bytes: int


@dataclass(frozen=True)
class Received:
    """An upload with its parts in order. `file`: of one that is complete, and has no parts any more."""

    length: int
    offset: int
    parts: list[Part]
    file: File | None


@dataclass(frozen=True)
class NewFile:
    sha256: bytes
    object_id: str
    media_type: str
    bytes: int
    width: int | None
    height: int | None


class FileRepository:
    def __init__(self, pool: Pool, quota: FileQuota) -> None:
        self.pool = pool
        self.quota = quota

    async def file(self, user_id: str, file_id: str) -> StoredFile:
        """Raises `NotFound`."""
        async with connection(self.pool) as db:
            return _stored(await db.fetchrow(*FILE(user_id=user_id, file_id=file_id)))

    async def delete(self, user_id: str, file_id: str) -> None:
        """Raises `NotFound`."""
        async with transaction(self.pool) as db:
            await _lock(db, user_id)
            if await db.fetchval(*DELETE_FILE(user_id=user_id, file_id=file_id)) is None:
                raise NotFound("There is no such file.")

    async def usage(self, user_id: str) -> FilesUsage:
        async with connection(self.pool) as db:
            row = await db.fetchrow(*USAGE(user_id=user_id))
            reserved = await db.fetchrow(*RESERVED(user_id=user_id))
        return FilesUsage(
            files=row["files"] if row else 0,
            files_max=self.quota.files,
            file_bytes=(row["file_bytes"] if row else 0) + reserved["bytes"],
            file_bytes_max=self.quota.size,
        )

    async def begin(self, user_id: str, upload_id: str, name: str, length: int) -> Upload:
        """Raises `QuotaExceeded` and `RateLimited`."""
        async with transaction(self.pool) as db:
            usage = await _lock(db, user_id)
            reserved = await db.fetchrow(*RESERVED(user_id=user_id))
            if reserved["uploads"] >= UPLOADS_MAX:
                raise RateLimited("Finish your other uploads first.", retry_after=RETRY_AFTER_SECONDS)
            if usage["files"] + reserved["uploads"] >= self.quota.files:
                raise QuotaExceeded(_full(f"{self.quota.files:,} files"))
            if usage["file_bytes"] + reserved["bytes"] + length > self.quota.size:
                raise QuotaExceeded(_full(f"{self.quota.size / 1024**2:,.0f} MB of files"))
            expires_at = await db.fetchval(
                *CREATE_UPLOAD(user_id=user_id, upload_id=upload_id, name=name, length=length, lifetime=UPLOAD_LIFETIME)
            )
        return Upload(id=upload_id, length=length, offset=0, expires_at=expires_at)

    async def upload(self, user_id: str, upload_id: str) -> Upload:
        """Raises `NotFound`."""
        async with connection(self.pool) as db:
            row = await db.fetchrow(*UPLOAD(user_id=user_id, upload_id=upload_id))
            return await _upload(db, user_id, row)

    async def add_part(self, user_id: str, upload_id: str, offset: int, part: Part) -> Upload:
        """Raises `NotFound`, `UploadConflict`, and `ValidationFailed` for more bytes than were announced."""
        async with transaction(self.pool) as db:
            row = await db.fetchrow(*LOCKED_UPLOAD(user_id=user_id, upload_id=upload_id))
            upload = await _upload(db, user_id, row)
            if await db.fetchval(
                *HAS_PART(user_id=user_id, upload_id=upload_id, start=offset, object_id=part.object_id)
            ):
                return upload  # a repeat
            if upload.offset != offset or upload.file is not None:
                raise UploadConflict(offset=upload.offset)
            if offset + part.bytes > upload.length:
                raise ValidationFailed(errors=[{"field": "body", "message": "More bytes than were announced"}])
            await db.execute(
                *ADD_PART(
                    user_id=user_id, upload_id=upload_id, start=offset, object_id=part.object_id, bytes=part.bytes
                )
            )
        return upload.model_copy(update={"offset": offset + part.bytes})

    async def received(self, user_id: str, upload_id: str) -> Received:
        """Raises `NotFound`."""
        async with transaction(self.pool) as db:
            row = await db.fetchrow(*LOCKED_UPLOAD(user_id=user_id, upload_id=upload_id))
            upload = await _upload(db, user_id, row)
            parts = await db.fetch(*PARTS(user_id=user_id, upload_id=upload_id))
        stored = [Part(part["object_id"], part["bytes"]) for part in parts]
        return Received(upload.length, upload.offset, stored, upload.file)

    async def finish(self, user_id: str, upload_id: str, file_id: str, new: NewFile) -> File:
        """Makes the upload a file, once: the first of several that finish the same upload decides. If the user has the
        same bytes already, that file it is. Raises `NotFound`."""
        async with transaction(self.pool) as db:
            await _lock(db, user_id)
            row = await db.fetchrow(*LOCKED_UPLOAD(user_id=user_id, upload_id=upload_id))
            upload = await _upload(db, user_id, row)
            parts = {part["object_id"] for part in await db.fetch(*PARTS(user_id=user_id, upload_id=upload_id))}
            if upload.file is not None:
                # the other one's file may be this very object, where the upload is one part
                if new.object_id != (await _file(db, user_id, upload.file.id)).object_id:
                    await db.execute(*UNUSED(user_id=user_id, object_ids=[new.object_id]))
                return upload.file
            known = await db.fetchrow(*FILE_BY_HASH(user_id=user_id, sha256=new.sha256))
            if known is not None:
                unused, file = {*parts, new.object_id}, _stored(known)
            else:
                file = await self._create(db, user_id, file_id, row["name"], new)
                unused = parts - {new.object_id}
            await db.execute(*UNUSED(user_id=user_id, object_ids=list(unused)))
            await db.execute(*FINISH(user_id=user_id, upload_id=upload_id, file_id=file.id))
            return public(file)

    async def _create(self, db: Any, user_id: str, file_id: str, name: str, new: NewFile) -> StoredFile:
        row = await db.fetchrow(
            *CREATE_FILE(
                user_id=user_id,
                file_id=file_id,
                sha256=new.sha256,
                object_id=new.object_id,
                name=name,
                media_type=new.media_type,
                bytes=new.bytes,
                width=new.width,
                height=new.height,
            )
        )
        await db.execute(*COUNT(user_id=user_id, files=1, bytes=new.bytes))
        return _stored(row)

    async def abort(self, user_id: str, upload_id: str) -> None:
        """A repeat does nothing."""
        async with transaction(self.pool) as db:
            await db.execute(*DELETE_UPLOAD(user_id=user_id, upload_id=upload_id))

    async def preview(self, user_id: str, file_id: str, size: int) -> StoredObject | None:
        """None if none was made yet. Raises `NotFound` if none can be made."""
        async with connection(self.pool) as db:
            row = await db.fetchrow(*PREVIEW(user_id=user_id, file_id=file_id, size=size))
        if row is None:
            return None
        if row["object_id"] is None:
            raise NotFound("There is no preview of this file.")
        return StoredObject(**row)

    async def add_preview(self, user_id: str, file_id: str, size: int, preview: StoredObject | None) -> None:
        """None: none can be made. The first of several stays; an object that is not needed is recorded as unused."""
        async with transaction(self.pool) as db:
            is_added = await db.fetchval(
                *CREATE_PREVIEW(
                    user_id=user_id,
                    file_id=file_id,
                    size=size,
                    object_id=preview.object_id if preview else None,
                    media_type=preview.media_type if preview else None,
                    bytes=preview.bytes if preview else None,
                )
            )
            if preview is not None and not is_added:
                await db.execute(*UNUSED(user_id=user_id, object_ids=[preview.object_id]))

    async def delete_expired_uploads(self, limit: int) -> int:
        """Returns how many."""
        async with connection(self.pool) as db:
            expired = await db.fetch(*EXPIRED_UPLOADS(limit=limit))
        for row in expired:
            await self.abort(row["user_id"], row["id"])
        return len(expired)

    @asynccontextmanager
    async def unused(self, limit: int) -> AsyncGenerator[list[Key]]:
        """Objects to delete inside the block, which no other replica has at the same time. If it raises, they come
        again."""
        async with transaction(self.pool) as db:
            rows = await db.fetch(*SOME_UNUSED(limit=limit))
            keys = [(row["user_id"], row["object_id"]) for row in rows]
            yield keys
            await db.execute(*DELETED(user_ids=[key[0] for key in keys], object_ids=[key[1] for key in keys]))

    async def unknown(self, keys: Sequence[Key]) -> list[Key]:
        """Those of the objects that no row refers to."""
        async with connection(self.pool) as db:
            rows = await db.fetch(*UNKNOWN(user_ids=[key[0] for key in keys], object_ids=[key[1] for key in keys]))
        return [(row["user_id"], row["object_id"]) for row in rows]


async def _lock(db: Any, user_id: str) -> Any:
    if (feed := await db.fetchrow(*LOCK(user_id=user_id))) is None:
        await db.execute(*CREATE_FEED(user_id=user_id))
        feed = await db.fetchrow(*LOCK(user_id=user_id))
    return feed


async def _file(db: Any, user_id: str, file_id: str) -> StoredFile:
    return _stored(await db.fetchrow(*FILE(user_id=user_id, file_id=file_id)))


async def _upload(db: Any, user_id: str, row: Any) -> Upload:
    if row is None:
        raise NotFound("There is no such upload, or it has expired.")
    file = public(await _file(db, user_id, row["file_id"])) if row["file_id"] else None
    return Upload(id=row["id"], length=row["length"], offset=row["received"], expires_at=row["expires_at"], file=file)


def _stored(row: Any) -> StoredFile:
    if row is None:
        raise NotFound("There is no such file.")
    return StoredFile(**row)


def public(file: StoredFile) -> File:
    """Without what only services need."""
    return File(**{name: getattr(file, name) for name in File.model_fields})


def _full(limit: str) -> str:
    return (
        f"Your account is full: there is room for {limit}. "
        "Delete files, or ask the administrator of this server for more space."
    )
