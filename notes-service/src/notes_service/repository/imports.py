"""Imports: uploaded in chunks, then carried out by one worker at a time.

**Invariant: each file of an import is processed exactly once, in the order of the files, even if workers die.** The
number of files that are done (`processed`) is raised in the same transaction as what a file changed, and only by the
attempt that owns the import: each claim raises `attempt`, and every write of a worker names its own. So a worker that
died, or that lost its lease, has either done a file and counted it or neither, and the next one goes on after
`processed`.
"""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, get_args

from asyncpg.pool import Pool

from contracts.actor import Actor, PublicActor
from contracts.errors import NotFound, RateLimited
from contracts.note_transfer import ERRORS_MAX, ImportProblem, ImportStatus
from notes_service.repository.connections import connection, transaction
from servicekit.sql import Statement

UNFINISHED_PER_USER = 3
RETRY_AFTER_SECONDS = 10
LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 5
UPLOAD_TIMEOUT = timedelta(minutes=5)
"""The gateway receives the whole upload before it creates the import: one that is still uploading after this time was
abandoned."""
ABANDONED_RETENTION = timedelta(hours=1)
RETENTION = timedelta(days=7)
GAVE_UP = "The import was interrupted too often. Import the same files again to continue where it stopped."

LOCK_USER = Statement("SELECT pg_advisory_xact_lock(hashtextextended('import ' || :user_id::text, 0))")
COUNT_UNFINISHED = Statement("""
SELECT count(*) FROM imports
WHERE user_id = :user_id AND status IN ('uploading', 'queued', 'running')
      AND (status <> 'uploading' OR created_at > now() - :upload_timeout::interval)
""")
CREATE = Statement("""
INSERT INTO imports (user_id, id, actor, files, total)
VALUES (:user_id, :import_id, :actor, :files::text[], cardinality(:files::text[]))
""")
STORE_CHUNK = Statement("""
INSERT INTO import_chunks (user_id, import_id, file, number, data)
SELECT user_id, id, :file, :number, :data FROM imports
WHERE user_id = :user_id AND id = :import_id AND status = 'uploading' AND :file < cardinality(files)
ON CONFLICT DO NOTHING
""")
QUEUE = Statement(
    "UPDATE imports SET status = 'queued' WHERE user_id = :user_id AND id = :import_id AND status = 'uploading'"
)
STATUS = Statement("""
SELECT status, processed, total, created, updated, unchanged FROM imports
WHERE user_id = :user_id AND id = :import_id
""")
ERRORS = Statement("""
SELECT name, reason FROM import_errors
WHERE user_id = :user_id AND import_id = :import_id AND kind = ANY (:kinds::text[])
ORDER BY array_position(:kinds::text[], kind), number LIMIT :limit
""")

# Two claims at once, on any replicas, could take two imports of one user, as neither would see the other's. The lock
# ends with the transaction; CLAIM, a statement of its own after it, sees what was claimed before.
LOCK_CLAIMS = Statement("SELECT pg_advisory_xact_lock(hashtextextended('claims of imports', 0))")
# One of a user at a time: whoever has several, or a long one, leaves the other workers to others.
CLAIM = Statement("""
UPDATE imports SET status = 'running', attempt = attempt + 1, lease_until = now() + :lease::interval
WHERE (user_id, id) = (
    SELECT user_id, id FROM imports AS next
    WHERE status IN ('queued', 'running') AND (lease_until IS NULL OR lease_until < now()) AND NOT EXISTS (
        SELECT FROM imports AS other
        WHERE other.user_id = next.user_id AND other.status = 'running' AND other.lease_until >= now()
    )
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING user_id::text, id::text, actor, files, attempt, processed
""")
CHUNK = Statement("""
SELECT data FROM import_chunks
WHERE user_id = :user_id AND import_id = :import_id AND file = :file AND number = :number
""")
IS_OWNED = "user_id = :user_id AND id = :import_id AND attempt = :attempt AND status = 'running'"
RECORD = Statement(f"""
UPDATE imports SET processed = processed + :files, lease_until = now() + :lease::interval,
    created = created + :created, updated = updated + :updated, unchanged = unchanged + :unchanged
WHERE {IS_OWNED} RETURNING processed
""")
# Of each kind no more than are returned: pictures do not take the place of a note that was refused.
ADD_ERRORS = Statement("""
INSERT INTO import_errors (user_id, import_id, number, name, reason, kind)
SELECT :user_id, :import_id, number, name, reason, :kind
FROM unnest(:numbers::int[], :names::text[], :reasons::text[]) AS problems (number, name, reason) ORDER BY number
LIMIT greatest(:most - (
    SELECT count(*) FROM import_errors WHERE user_id = :user_id AND import_id = :import_id AND kind = :kind
), 0)
""")
SET_TOTAL = Statement(
    f"UPDATE imports SET total = :total, lease_until = now() + :lease::interval WHERE {IS_OWNED} RETURNING 1"
)
RELEASE = Statement(f"UPDATE imports SET lease_until = now() WHERE {IS_OWNED}")
END = Statement(f"UPDATE imports SET status = :status, lease_until = NULL WHERE {IS_OWNED} RETURNING 1")
DELETE_CHUNKS = Statement("DELETE FROM import_chunks WHERE user_id = :user_id AND import_id = :import_id")
DELETE_OLD = Statement("""
DELETE FROM imports
WHERE created_at < now() - :retention::interval
      OR (status = 'uploading' AND created_at < now() - :abandoned_retention::interval)
""")

Outcome = Literal["created", "updated", "unchanged"]
"""Of a file that was taken."""
MessageKind = Literal["refused", "other", "warning"]
"""Of what a file's message says: a note or an archive was refused; the file is neither; a part was left out."""
ERROR_KINDS: tuple[MessageKind, ...] = ("refused", "other")
"""In the order in which they are shown."""


@dataclass(frozen=True)
class FileResult:
    """`outcome` is None if the file was not taken; then there is a message that says why."""

    name: str
    outcome: Outcome | None = None
    kind: MessageKind = "refused"
    message: str | None = None


class LeaseLost(Exception):
    """Another worker has taken the import over."""


@dataclass(frozen=True)
class ClaimedImport:
    """An import that a worker owns, in this `attempt`. The first `processed` files were done in earlier ones."""

    actor: Actor
    id: str
    files: Sequence[str]
    attempt: int
    processed: int

    @property
    def key(self) -> dict[str, Any]:
        return {"user_id": self.actor.user_id, "import_id": self.id}

    @property
    def ownership(self) -> dict[str, Any]:
        """The values of `IS_OWNED`."""
        return self.key | {"attempt": self.attempt}

    async def record(self, db: Any, results: Sequence[FileResult]) -> int:
        """Counts files as done, in their order and in the transaction that did them, and renews the lease.

        Returns how many files are done. Raises `LeaseLost`.
        """
        outcomes = [result.outcome for result in results]
        counts = {outcome: outcomes.count(outcome) for outcome in get_args(Outcome)}
        processed = await db.fetchval(*RECORD(**self.ownership, **counts, lease=LEASE, files=len(outcomes)))
        if processed is None:
            raise LeaseLost
        numbered = list(enumerate(results, processed - len(results) + 1))
        for kind in get_args(MessageKind):
            messages = [(number, one.name, one.message) for number, one in numbered if one.message and one.kind == kind]
            if messages:
                numbers, names, reasons = map(list, zip(*messages, strict=True))
                await db.execute(
                    *ADD_ERRORS(**self.key, kind=kind, numbers=numbers, names=names, reasons=reasons, most=ERRORS_MAX)
                )
        return processed


class ImportRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def create(self, actor: Actor, import_id: str, files: Sequence[str]) -> None:
        """Creates an import, before its files are uploaded. Raises `RateLimited` if the user has several unfinished
        ones."""
        public = actor.public().model_dump(exclude_none=True)
        async with transaction(self.pool) as db:
            await db.execute(*LOCK_USER(user_id=actor.user_id))
            unfinished = await db.fetchval(*COUNT_UNFINISHED(user_id=actor.user_id, upload_timeout=UPLOAD_TIMEOUT))
            if unfinished >= UNFINISHED_PER_USER:
                raise RateLimited("Wait until your other imports are finished.", retry_after=RETRY_AFTER_SECONDS)
            await db.execute(*CREATE(user_id=actor.user_id, import_id=import_id, actor=public, files=files))

    async def store_chunk(self, user_id: str, import_id: str, file: int, number: int, data: bytes) -> None:
        """Does nothing if the chunk is stored already or the import is not uploading."""
        async with connection(self.pool) as db:
            await db.execute(*STORE_CHUNK(user_id=user_id, import_id=import_id, file=file, number=number, data=data))

    async def queue(self, user_id: str, import_id: str) -> None:
        """All chunks are uploaded: queues the import for a worker."""
        async with connection(self.pool) as db:
            await db.execute(*QUEUE(user_id=user_id, import_id=import_id))

    async def status(self, user_id: str, import_id: str) -> ImportStatus:
        """Raises `NotFound`."""
        async with connection(self.pool) as db:
            row = await db.fetchrow(*STATUS(user_id=user_id, import_id=import_id))
            if row is None:
                raise NotFound("There is no such import.")
            key = {"user_id": user_id, "import_id": import_id, "limit": ERRORS_MAX}
            errors = await db.fetch(*ERRORS(**key, kinds=ERROR_KINDS))
            warnings = await db.fetch(*ERRORS(**key, kinds=["warning"]))
        return ImportStatus(
            **row,
            errors=[ImportProblem(**error) for error in errors],
            warnings=[ImportProblem(**warning) for warning in warnings],
        )

    async def claim(self) -> ClaimedImport | None:
        """Claims the import that has waited longest and that no worker owns; None if there is none.

        An import that `MAX_ATTEMPTS` workers did not finish ends as failed instead.
        """
        async with transaction(self.pool) as db:
            await db.execute(*LOCK_CLAIMS())
            row = await db.fetchrow(*CLAIM(lease=LEASE))
        if row is None:
            return None
        actor = Actor(user_id=row["user_id"], **PublicActor.model_validate(row["actor"]).model_dump())
        claimed = ClaimedImport(actor, row["id"], row["files"], row["attempt"], row["processed"])
        if claimed.attempt <= MAX_ATTEMPTS:
            return claimed
        await self._give_up(claimed)
        return None

    async def content(self, claimed: ClaimedImport, file: int) -> AsyncGenerator[bytes]:
        """The chunks of one uploaded file."""
        number = 0
        while (data := await self._chunk(claimed, file, number)) is not None:
            yield data
            number += 1

    async def _chunk(self, claimed: ClaimedImport, file: int, number: int) -> bytes | None:
        async with connection(self.pool) as db:
            return await db.fetchval(*CHUNK(**claimed.key, file=file, number=number))

    async def set_total(self, claimed: ClaimedImport, total: int) -> None:
        """Also renews the lease. Raises `LeaseLost`."""
        async with connection(self.pool) as db:
            if await db.fetchval(*SET_TOTAL(**claimed.ownership, total=total, lease=LEASE)) is None:
                raise LeaseLost

    async def release(self, claimed: ClaimedImport) -> None:
        """Ends the lease, so that another worker may claim it at once."""
        async with connection(self.pool) as db:
            await db.execute(*RELEASE(**claimed.ownership))

    async def complete(self, claimed: ClaimedImport) -> None:
        """Raises `LeaseLost`."""
        async with transaction(self.pool) as db:
            await _end(db, claimed, "completed")

    async def _give_up(self, claimed: ClaimedImport) -> None:
        async with transaction(self.pool) as db:
            await claimed.record(db, [FileResult(", ".join(claimed.files)[:255], message=GAVE_UP)])
            await _end(db, claimed, "failed")

    async def delete_old(self, db: Any) -> None:
        """Deletes imports past their retention period, and those whose upload was abandoned."""
        await db.execute(*DELETE_OLD(retention=RETENTION, abandoned_retention=ABANDONED_RETENTION))


async def _end(db: Any, claimed: ClaimedImport, status: Literal["completed", "failed"]) -> None:
    if await db.fetchval(*END(**claimed.ownership, status=status)) is None:
        raise LeaseLost
    await db.execute(*DELETE_CHUNKS(**claimed.key))
