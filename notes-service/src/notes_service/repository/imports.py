"""Imports: taken in piece by piece, then worked on by one worker at a time, who counts with every note."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from asyncpg.pool import Pool

from contracts.actor import Actor, PublicActor
from contracts.errors import NotFound, RateLimited
from contracts.note_transfer import ERRORS_MAX, ImportProblem, ImportStatus
from notes_service.repository.connections import connection, transaction

UNFINISHED_PER_USER = 3
AGAIN_SECONDS = 10
LEASE = timedelta(seconds=30)
MOST_ATTEMPTS = 5
UPLOADED_WITHIN = timedelta(minutes=5)
"""The gateway has the whole upload before it begins: what is still uploading later than this was given up."""
ABANDONED_KEPT = timedelta(hours=1)
KEPT = timedelta(days=7)
GIVEN_UP = "The import was interrupted too often and given up. Importing the same files again goes on where it stopped."

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('import ' || $1::text, 0))"
UNFINISHED = """
SELECT count(*) FROM imports
WHERE user_id = $1 AND status IN ('uploading', 'queued', 'running')
      AND (status <> 'uploading' OR created_at > now() - $2::interval)
"""
BEGIN = """
INSERT INTO imports (user_id, id, actor, files, total) VALUES ($1, $2, $3, $4::text[], cardinality($4::text[]))
"""
KEEP = """
INSERT INTO import_chunks (user_id, import_id, file, number, data)
SELECT user_id, id, $3, $4, $5 FROM imports
WHERE user_id = $1 AND id = $2 AND status = 'uploading' AND $3 < cardinality(files)
ON CONFLICT DO NOTHING
"""
QUEUE = "UPDATE imports SET status = 'queued' WHERE user_id = $1 AND id = $2 AND status = 'uploading'"
ONE = """
SELECT status, processed, total, created, updated, unchanged FROM imports WHERE user_id = $1 AND id = $2
"""
ERRORS = """
SELECT name, reason FROM import_errors WHERE user_id = $1 AND import_id = $2 ORDER BY number LIMIT $3
"""

CLAIM = """
UPDATE imports SET status = 'running', attempt = attempt + 1, lease_until = now() + $1::interval
WHERE (user_id, id) = (
    SELECT user_id, id FROM imports
    WHERE status IN ('queued', 'running') AND (lease_until IS NULL OR lease_until < now())
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING user_id::text, id::text, actor, files, attempt, processed
"""
CHUNK = "SELECT data FROM import_chunks WHERE user_id = $1 AND import_id = $2 AND file = $3 AND number = $4"
MINE = "user_id = $1 AND id = $2 AND attempt = $3 AND status = 'running'"
COUNT = f"""
UPDATE imports SET processed = processed + 1, lease_until = now() + $4::interval,
    created = created + ($5 = 'created')::int, updated = updated + ($5 = 'updated')::int,
    unchanged = unchanged + ($5 = 'unchanged')::int
WHERE {MINE} RETURNING processed
"""  # noqa: S608
COMPLAIN = """
INSERT INTO import_errors (user_id, import_id, number, name, reason) VALUES ($1, $2, $3, $4, $5)
"""
TOTAL = f"UPDATE imports SET total = $4, lease_until = now() + $5::interval WHERE {MINE} RETURNING 1"  # noqa: S608
RELEASE = f"UPDATE imports SET lease_until = now() WHERE {MINE}"  # noqa: S608
END = f"UPDATE imports SET status = $4, lease_until = NULL WHERE {MINE} RETURNING 1"  # noqa: S608
EMPTY = "DELETE FROM import_chunks WHERE user_id = $1 AND import_id = $2"
FORGET = """
DELETE FROM imports
WHERE created_at < now() - $1::interval OR (status = 'uploading' AND created_at < now() - $2::interval)
"""

Outcome = Literal["created", "updated", "unchanged", "skipped"]


class LeaseLost(Exception):
    """Another worker has taken the import over."""


@dataclass(frozen=True)
class Job:
    """An import that this worker owns, for its `attempt`. `processed` files were done before."""

    actor: Actor
    id: str
    files: Sequence[str]
    attempt: int
    processed: int

    @property
    def key(self) -> tuple[str, str, int]:
        return self.actor.user_id, self.id, self.attempt

    async def count(self, db: Any, outcome: Outcome, problem: ImportProblem | None = None) -> int:
        """One more file is done, in the transaction that did it. How many are; raises `LeaseLost`."""
        processed = await db.fetchval(COUNT, *self.key, LEASE, outcome)
        if processed is None:
            raise LeaseLost
        if problem is not None:
            await db.execute(COMPLAIN, self.actor.user_id, self.id, processed, problem.name, problem.reason)
        return processed


class Imports:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def begin(self, actor: Actor, import_id: str, files: Sequence[str]) -> None:
        public = actor.public().model_dump(exclude_none=True)
        async with transaction(self.pool) as db:
            await db.execute(ONE_AT_A_TIME, actor.user_id)
            if await db.fetchval(UNFINISHED, actor.user_id, UPLOADED_WITHIN) >= UNFINISHED_PER_USER:
                raise RateLimited("Wait until your other imports are finished.", retry_after=AGAIN_SECONDS)
            await db.execute(BEGIN, actor.user_id, import_id, public, files)

    async def keep(self, user_id: str, import_id: str, file: int, number: int, data: bytes) -> None:
        async with connection(self.pool) as db:
            await db.execute(KEEP, user_id, import_id, file, number, data)

    async def queue(self, user_id: str, import_id: str) -> None:
        async with connection(self.pool) as db:
            await db.execute(QUEUE, user_id, import_id)

    async def status(self, user_id: str, import_id: str) -> ImportStatus:
        """Raises `NotFound`."""
        async with connection(self.pool) as db:
            row = await db.fetchrow(ONE, user_id, import_id)
            if row is None:
                raise NotFound("There is no such import.")
            errors = await db.fetch(ERRORS, user_id, import_id, ERRORS_MAX)
        return ImportStatus(**row, errors=[ImportProblem(**error) for error in errors])

    async def claim(self) -> Job | None:
        """The import that waits longest and that nobody works on. Given up after some attempts that came to nothing."""
        async with connection(self.pool) as db:
            row = await db.fetchrow(CLAIM, LEASE)
        if row is None:
            return None
        actor = Actor(user_id=row["user_id"], **PublicActor.model_validate(row["actor"]).model_dump())
        job = Job(actor, row["id"], row["files"], row["attempt"], row["processed"])
        if job.attempt <= MOST_ATTEMPTS:
            return job
        await self._give_up(job)
        return None

    async def content(self, job: Job, file: int) -> AsyncGenerator[bytes]:
        """One uploaded file, a chunk at a time."""
        number = 0
        while (data := await self._chunk(job, file, number)) is not None:
            yield data
            number += 1

    async def _chunk(self, job: Job, file: int, number: int) -> bytes | None:
        async with connection(self.pool) as db:
            return await db.fetchval(CHUNK, job.actor.user_id, job.id, file, number)

    async def set_total(self, job: Job, total: int) -> None:
        """Also says that the work goes on. Raises `LeaseLost`."""
        async with connection(self.pool) as db:
            if await db.fetchval(TOTAL, *job.key, total, LEASE) is None:
                raise LeaseLost

    async def release(self, job: Job) -> None:
        """Another worker may take it over at once."""
        async with connection(self.pool) as db:
            await db.execute(RELEASE, *job.key)

    async def complete(self, job: Job) -> None:
        async with transaction(self.pool) as db:
            await _end(db, job, "completed")

    async def _give_up(self, job: Job) -> None:
        async with transaction(self.pool) as db:
            problem = ImportProblem(name=", ".join(job.files)[:255], reason=GIVEN_UP)
            await job.count(db, "skipped", problem)
            await _end(db, job, "failed")

    async def forget(self, db: Any) -> None:
        """Those of long ago, and those whose upload was never finished."""
        await db.execute(FORGET, KEPT, ABANDONED_KEPT)


async def _end(db: Any, job: Job, status: Literal["completed", "failed"]) -> None:
    if await db.fetchval(END, *job.key, status) is None:
        raise LeaseLost
    await db.execute(EMPTY, job.actor.user_id, job.id)
