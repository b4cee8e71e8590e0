"""Runs: begun, asked for, cancelled, and taken by a worker."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg
from asyncpg.pool import Pool
from contracts.chat import Approval, Mode, Run, RunError, RunStarted, RunStatus
from contracts.errors import NotFound, RateLimited, RunActive
from contracts.ids import new_id
from contracts.run_events import Usage

from agent_service.repository.allowances import AllowanceRepository
from agent_service.repository.values import json_text

UNTITLED = "New conversation"

_COLUMNS = """
  runs.id::text, runs.user_id::text, runs.conversation_id::text, runs.status, runs.attempt, runs.last_event_id,
  runs.input_tokens, runs.output_tokens, runs.requests, runs.created_at, runs.finished_at, runs.error
"""

_NEW_TALK = """
  INSERT INTO conversations (id, user_id, title, head) VALUES ($1, $2, $3, $6) RETURNING id, NULL::uuid AS head
"""
_KNOWN_TALK = """
  UPDATE conversations SET updated_at = now(), head = $6, title = CASE
    WHEN title = '{untitled}' AND NOT EXISTS (SELECT FROM messages WHERE conversation_id = $1) THEN $3 ELSE title END
  WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL RETURNING id, old.head
"""
_START = """
  WITH talk AS ({talk}), run AS (
    INSERT INTO runs (id, user_id, username, conversation_id, message_id, client_request_id, note_id, approval,
      user_instructions)
    SELECT $4, $2, $5, talk.id, $6, $7, $8, $11, $12 FROM talk
  ), said AS (
    INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status)
    SELECT $6, talk.id, $2, CASE WHEN $13 THEN $14::uuid ELSE talk.head END, $4, 'user', $9, 'complete'
    FROM talk WHERE NOT $15
  )
  INSERT INTO session_items (conversation_id, seq, user_id, run_id, item)
  SELECT talk.id, 1 + coalesce((SELECT max(seq) FROM session_items WHERE conversation_id = talk.id), 0), $2, $4, $10
  FROM talk RETURNING conversation_id
"""


@dataclass(frozen=True)
class Fork:
    """A new branch: another message after `parent_id`, or another answer to the message `answered`."""

    parent_id: str | None = None
    answered: str | None = None


@dataclass(frozen=True)
class NewRun:
    """`title`: what the conversation is called if this is its first message. `fork`: where the message stands, if
    not at the end of the present branch."""

    id: str
    user_id: str
    username: str
    conversation_id: str | None
    client_request_id: str | None
    note_id: str | None
    text: str
    title: str
    approval: Approval
    instructions: str
    fork: Fork | None = None


@dataclass(frozen=True)
class ClaimedRun:
    """A run and the right to write for it: `attempt`. `message_id`: the user's message it answers. `instructions`: of
    the conversation; `user_instructions`: of all. `crashes`: workers that died over it since it began or a person last
    decided. `allowed_tools`: those that need no word in this conversation."""

    id: str
    user_id: str
    username: str
    conversation_id: str
    message_id: str
    note_id: str | None
    status: RunStatus
    attempt: int
    last_event_id: int
    created_at: datetime
    cancel_requested: bool
    overdue: bool
    instructions: str
    user_instructions: str
    approval: Approval
    allowed_tools: list[str]
    crashes: int
    usage: Usage
    error: RunError | None
    finish_reason: str | None


class RunRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def start(self, new: NewRun, allowances: AllowanceRepository) -> tuple[RunStarted, bool]:
        """Writes conversation, message and run together. The flag says whether anything was begun: a
        `client_request_id` (or run id) that is known already answers with the earlier run.

        Raises `NotFound` for a foreign conversation, `RunActive` while it has an unfinished run, and `RateLimited`.
        """
        try:
            async with self.pool.acquire() as connection, connection.transaction():
                await allowances.take(connection, new.user_id)
                return await self._begin(connection, new), True
        except RateLimited:
            known = await self.known(new)
            if known is None:
                raise
            return known, False
        except asyncpg.UniqueViolationError:
            return await self._existing(new), False

    async def _begin(self, connection: Any, new: NewRun) -> RunStarted:
        conversation_id, fork = new.conversation_id or new_id(), new.fork or Fork()
        found = await connection.fetchval(
            _START.format(talk=_KNOWN_TALK.format(untitled=UNTITLED) if new.conversation_id else _NEW_TALK),
            *(conversation_id, new.user_id, new.title, new.id, new.username, fork.answered or new_id()),
            *(new.client_request_id, new.note_id, new.text, json_text({"role": "user", "content": new.text})),
            *(new.approval, new.instructions, new.fork is not None, fork.parent_id, fork.answered is not None),
        )
        if found is None:
            raise NotFound
        return RunStarted(run_id=new.id, conversation_id=conversation_id)

    async def _existing(self, new: NewRun) -> RunStarted:
        known = await self.known(new)
        if known is not None:
            return known
        if new.conversation_id is not None:
            active = await self.active(new.user_id, new.conversation_id)
            if active is not None:
                raise RunActive(run_id=active)
        raise NotFound  # a run id of somebody else's, or a run that ended while we looked: the caller may ask again

    async def known(self, new: NewRun) -> RunStarted | None:
        """The run that this very request began before, if it did."""
        row = await self.pool.fetchrow(
            """
            SELECT id::text AS run_id, conversation_id::text FROM runs
            WHERE user_id = $1 AND (client_request_id = $2 OR id = $3) ORDER BY id = $3 LIMIT 1
            """,
            *(new.user_id, new.client_request_id, new.id),
        )
        return None if row is None else RunStarted(**dict(row))

    async def active(self, user_id: str, conversation_id: str) -> str | None:
        return await self.pool.fetchval(
            """
            SELECT id::text FROM runs WHERE user_id = $1 AND conversation_id = $2
            AND status IN ('queued', 'running', 'waiting')
            """,
            *(user_id, conversation_id),
        )

    async def get(self, user_id: str, run_id: str) -> Run:
        row = await self.pool.fetchrow(
            f"SELECT {_COLUMNS} FROM runs WHERE id = $1 AND user_id = $2",  # noqa: S608
            *(run_id, user_id),
        )
        return _run(row)

    async def request_cancel(self, user_id: str, run_id: str) -> tuple[Run, bool]:
        """Marks the run for its worker; one that waits for a person waits no more, a finished one stays as it is. The
        flag says whether there is nothing to do for anybody but its worker."""
        row = await self.pool.fetchrow(
            f"""
            UPDATE runs SET cancel_requested = cancel_requested OR finished_at IS NULL,
              status = CASE WHEN status = 'waiting' THEN 'running' ELSE status END
            WHERE id = $1 AND user_id = $2 RETURNING {_COLUMNS}, lease_until IS NOT NULL OR done_at IS NOT NULL AS held
            """,  # noqa: S608
            *(run_id, user_id),
        )
        return _run(row), bool(row and row["held"])

    async def mark_undone(self, user_id: str, run_id: str) -> str:
        """The conversation it is told in. Raises `NotFound`."""
        conversation_id = await self.pool.fetchval(
            """
            UPDATE runs SET undone_at = coalesce(undone_at, now()) WHERE id = $1 AND user_id = $2
            RETURNING conversation_id::text
            """,
            *(run_id, user_id),
        )
        if conversation_id is None:
            raise NotFound
        return conversation_id

    async def claim(
        self, user_id: str, run_id: str, *, lease: float, patience: float, model: str, mode: Mode
    ) -> ClaimedRun | None:
        """Takes a run that nobody works on, for `lease` seconds; None where somebody does, or it is over.

        `overdue`: it has waited for its first worker for more than `patience` seconds.
        """
        row = await self.pool.fetchrow(
            f"""
            UPDATE runs SET attempt = attempt + 1, lease_until = now() + $3, model = $5, mode = $6,
              status = CASE WHEN status = 'queued' THEN 'running' ELSE status END
            FROM conversations WHERE runs.id = $1 AND runs.user_id = $2 AND conversations.id = conversation_id
              AND done_at IS NULL AND status <> 'waiting' AND (lease_until IS NULL OR lease_until < now())
            RETURNING {_COLUMNS}, username, message_id::text, note_id::text, cancel_requested, finish_reason,
              instructions, user_instructions, approval, allowed_tools,
              greatest(attempt - resume_attempt, 0) AS crashes,
              attempt = 1 AND runs.created_at < now() - $4::interval AS overdue
            """,  # noqa: S608
            *(run_id, user_id, timedelta(seconds=lease), timedelta(seconds=patience), model, mode),
        )
        return None if row is None else _claimed(row)

    async def beat(self, attempts: dict[str, int], *, lease: float) -> dict[str, bool]:
        """Keeps runs (by id, with the attempt) for another `lease` seconds, but none that was let go of. Answers which
        of them are still ours, and whether their user asked to cancel them."""
        rows = await self.pool.fetch(
            """
            UPDATE runs SET lease_until = now() + $3 FROM unnest($1::uuid[], $2::integer[]) AS mine (id, attempt)
            WHERE runs.id = mine.id AND runs.attempt = mine.attempt AND lease_until IS NOT NULL
            RETURNING runs.id::text, cancel_requested
            """,
            *(list(attempts), list(attempts.values()), timedelta(seconds=lease)),
        )
        return {row["id"]: row["cancel_requested"] for row in rows}

    async def release(self, run_id: str, attempt: int) -> None:
        """Lets another worker have the run at once."""
        await self.pool.execute("UPDATE runs SET lease_until = NULL WHERE id = $1 AND attempt = $2", run_id, attempt)


def _run(row: Any) -> Run:
    if row is None:
        raise NotFound
    return Run(**_shared(row), created_at=row["created_at"], finished_at=row["finished_at"])


def _claimed(row: Any) -> ClaimedRun:
    names: tuple[Literal["user_id", "username", "message_id", "note_id", "created_at"], ...]
    names = ("user_id", "username", "message_id", "note_id", "created_at")
    return ClaimedRun(
        **_shared(row),
        **{name: row[name] for name in names},
        cancel_requested=row["cancel_requested"],
        overdue=row["overdue"],
        instructions=row["instructions"],
        user_instructions=row["user_instructions"],
        approval=row["approval"],
        allowed_tools=row["allowed_tools"],
        crashes=row["crashes"],
        finish_reason=row["finish_reason"],
    )


def _shared(row: Any) -> dict[str, Any]:
    names = ("id", "conversation_id", "status", "attempt", "last_event_id")
    usage = {name: row[name] for name in Usage.model_fields}
    return {
        **{name: row[name] for name in names},
        "usage": Usage(**usage),
        "error": None if row["error"] is None else RunError(**row["error"]),
    }
