"""Runs as requested by their user: started, read, cancelled, undone."""

from dataclasses import dataclass
from typing import Any

import asyncpg
from asyncpg.pool import Pool

from agent_service.repository.run_limits import RunLimitRepository
from agent_service.repository.values import json_text
from contracts.chat import ApprovalPolicy, Run, RunError, RunStarted
from contracts.errors import NotFound, QuotaExceeded, RateLimited, RunActive
from contracts.ids import new_id
from contracts.run_events import Usage

UNTITLED = "New conversation"

COLUMNS = """
  runs.id::text, runs.user_id::text, runs.conversation_id::text, runs.status, runs.attempt,
  runs.last_event_attempt || '.' || runs.last_event_id AS last_event_id,
  runs.input_tokens, runs.output_tokens, runs.requests, runs.created_at, runs.finished_at, runs.error
"""

_NEW_CONVERSATION = """
  INSERT INTO conversations (id, user_id, title, head) VALUES ($1, $2, $3, $6) RETURNING id, NULL::uuid AS head
"""
_EXISTING_CONVERSATION = """
  UPDATE conversations SET updated_at = now(), head = $6, title = CASE
    WHEN title = '{untitled}' AND NOT EXISTS (SELECT FROM messages WHERE conversation_id = $1) THEN $3 ELSE title END
  WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL RETURNING id, old.head
"""
_START = """
  WITH conversation AS ({conversation}), run AS (
    INSERT INTO runs (id, user_id, username, conversation_id, message_id, client_request_id, note_id, approval,
      user_instructions)
    SELECT $4, $2, $5, conversation.id, $6, $7, $8, $11, $12 FROM conversation
  ), message AS (
    INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status)
    SELECT $6, conversation.id, $2, CASE WHEN $13 THEN $14::uuid ELSE conversation.head END, $4, 'user', $9, 'complete'
    FROM conversation WHERE NOT $15
  )
  INSERT INTO session_items (conversation_id, seq, user_id, run_id, item)
  SELECT conversation.id,
    1 + coalesce((SELECT max(seq) FROM session_items WHERE conversation_id = conversation.id), 0), $2, $4, $10
  FROM conversation RETURNING conversation_id
"""


@dataclass(frozen=True)
class Fork:
    """A new branch: another message after `parent_id`, or another answer to the message `question_id`."""

    parent_id: str | None = None
    question_id: str | None = None


@dataclass(frozen=True)
class NewRun:
    """`title`: the conversation's title if this is its first message. `fork`: where the message goes, if not to the end
    of the current branch."""

    id: str
    user_id: str
    username: str
    conversation_id: str | None
    client_request_id: str | None
    note_id: str | None
    text: str
    title: str
    approval: ApprovalPolicy
    instructions: str
    fork: Fork | None = None


class RunRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def start(self, new: NewRun, limits: RunLimitRepository) -> tuple[RunStarted, bool]:
        """Writes conversation, message and run in one transaction. False if nothing was started: the request is a
        repetition, by its `client_request_id` or run id, and gets the run that exists.

        Raises `NotFound` for a foreign conversation, `RunActive` while it has an unfinished run, `RateLimited`,
        and `QuotaExceeded` if there is no room for another conversation.
        """
        try:
            async with self.pool.acquire() as connection, connection.transaction():
                await limits.check(connection, new.user_id, new_conversation=new.conversation_id is None)
                return await self._insert(connection, new), True
        except (RateLimited, QuotaExceeded):
            existing = await self._same_request(new)
            if existing is None:
                raise
            return existing, False
        except asyncpg.UniqueViolationError:
            return await self._existing(new), False

    async def _insert(self, connection: Any, new: NewRun) -> RunStarted:
        conversation_id, fork = new.conversation_id or new_id(), new.fork or Fork()
        conversation = _EXISTING_CONVERSATION.format(untitled=UNTITLED) if new.conversation_id else _NEW_CONVERSATION
        started = await connection.fetchval(
            _START.format(conversation=conversation),
            *(conversation_id, new.user_id, new.title, new.id, new.username, fork.question_id or new_id()),
            *(new.client_request_id, new.note_id, new.text, json_text({"role": "user", "content": new.text})),
            *(new.approval, new.instructions, new.fork is not None, fork.parent_id, fork.question_id is not None),
        )
        if started is None:
            raise NotFound
        return RunStarted(run_id=new.id, conversation_id=conversation_id)

    async def _existing(self, new: NewRun) -> RunStarted:
        """After a unique index refused the run: the run of the same request, else an error."""
        existing = await self._same_request(new)
        if existing is not None:
            return existing
        if new.conversation_id is not None:
            active = await self._active(new.user_id, new.conversation_id)
            if active is not None:
                raise RunActive(run_id=active)
        raise NotFound  # another user's run id, or the active run ended meanwhile: the caller may try again

    async def _same_request(self, new: NewRun) -> RunStarted | None:
        """The run that the same request has started before."""
        row = await self.pool.fetchrow(
            """
            SELECT id::text AS run_id, conversation_id::text FROM runs
            WHERE user_id = $1 AND (client_request_id = $2 OR id = $3) ORDER BY id = $3 LIMIT 1
            """,
            *(new.user_id, new.client_request_id, new.id),
        )
        return None if row is None else RunStarted(**dict(row))

    async def _active(self, user_id: str, conversation_id: str) -> str | None:
        return await self.pool.fetchval(
            """
            SELECT id::text FROM runs WHERE user_id = $1 AND conversation_id = $2
            AND status IN ('queued', 'running', 'waiting')
            """,
            *(user_id, conversation_id),
        )

    async def get(self, user_id: str, run_id: str) -> Run:
        row = await self.pool.fetchrow(
            f"SELECT {COLUMNS} FROM runs WHERE id = $1 AND user_id = $2",  # noqa: S608
            *(run_id, user_id),
        )
        return _run(row)

    async def request_cancel(self, user_id: str, run_id: str) -> tuple[Run, bool]:
        """Marks an unfinished run as cancelled; one that waits for approval becomes `running`. True if a worker holds
        the run, and will end it, or if it has ended already."""
        row = await self.pool.fetchrow(
            f"""
            UPDATE runs SET cancel_requested = cancel_requested OR finished_at IS NULL,
              status = CASE WHEN status = 'waiting' THEN 'running' ELSE status END
            WHERE id = $1 AND user_id = $2 RETURNING {COLUMNS}, lease_until IS NOT NULL OR done_at IS NOT NULL AS held
            """,  # noqa: S608
            *(run_id, user_id),
        )
        return _run(row), bool(row and row["held"])

    async def mark_undone(self, user_id: str, run_id: str) -> str:
        """Returns the run's conversation. Raises `NotFound`."""
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


def _run(row: Any) -> Run:
    if row is None:
        raise NotFound
    return Run(**shared_fields(row), created_at=row["created_at"], finished_at=row["finished_at"])


def shared_fields(row: Any) -> dict[str, Any]:
    """The fields of `COLUMNS` that both `Run` and `ClaimedRun` have."""
    names = ("id", "conversation_id", "status", "attempt", "last_event_id")
    usage = {name: row[name] for name in Usage.model_fields}
    return {
        **{name: row[name] for name in names},
        "usage": Usage(**usage),
        "error": None if row["error"] is None else RunError(**row["error"]),
    }
