"""Runs as their user has them: begun, asked for, cancelled, undone."""

from dataclasses import dataclass
from typing import Any

import asyncpg
from asyncpg.pool import Pool

from agent_service.repository.allowances import AllowanceRepository
from agent_service.repository.values import json_text
from contracts.chat import ApprovalPolicy, Run, RunError, RunStarted
from contracts.errors import NotFound, RateLimited, RunActive
from contracts.ids import new_id
from contracts.run_events import Usage

UNTITLED = "New conversation"

COLUMNS = """
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
    approval: ApprovalPolicy
    instructions: str
    fork: Fork | None = None


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
            f"SELECT {COLUMNS} FROM runs WHERE id = $1 AND user_id = $2",  # noqa: S608
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
            WHERE id = $1 AND user_id = $2 RETURNING {COLUMNS}, lease_until IS NOT NULL OR done_at IS NOT NULL AS held
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


def _run(row: Any) -> Run:
    if row is None:
        raise NotFound
    return Run(**shared(row), created_at=row["created_at"], finished_at=row["finished_at"])


def shared(row: Any) -> dict[str, Any]:
    """What a run is to its user and to its worker alike, of `COLUMNS`."""
    names = ("id", "conversation_id", "status", "attempt", "last_event_id")
    usage = {name: row[name] for name in Usage.model_fields}
    return {
        **{name: row[name] for name in names},
        "usage": Usage(**usage),
        "error": None if row["error"] is None else RunError(**row["error"]),
    }
