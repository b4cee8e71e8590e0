"""Runs as requested by their user: started, read, cancelled, undone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from asyncpg.pool import Pool

from agent_service.repository.claimed_run import ClaimedRun, Terms
from agent_service.repository.conversation_limits import for_user
from agent_service.repository.run_limits import LIMITS, RunLimitRepository
from agent_service.repository.values import json_text
from contracts.chat import ApprovalPolicy, Run, RunError, RunStarted
from contracts.errors import NotFound, QuotaExceeded, RateLimited, RunActive, StaleBranch
from contracts.ids import new_id
from contracts.run_events import BEFORE_FIRST, Usage
from servicekit.sql import Statement

UNTITLED = "New conversation"
FIRST_ATTEMPT = 1

COLUMNS = """
  runs.id::text, runs.user_id::text, runs.conversation_id::text, runs.status, runs.attempt,
  runs.last_event_attempt || '.' || runs.last_event_id AS last_event_id, runs.model,
  runs.input_tokens, runs.output_tokens, runs.requests, runs.cost, runs.currency,
  runs.created_at, runs.finished_at, runs.error
"""

_NEW_CONVERSATION = """
  INSERT INTO conversations (id, user_id, title, head, model, effort)
  SELECT :conversation_id, :user_id, :title, :message_id, :chosen_model, :chosen_effort FROM allowed
  RETURNING id, NULL::uuid AS head, instructions, allowed_tools, model, effort
"""
_EXISTING_CONVERSATION = f"""
  UPDATE conversations SET updated_at = now(), head = :message_id,
    model = coalesce(:chosen_model::text, model),
    effort = CASE WHEN :names_effort THEN :chosen_effort ELSE effort END, title = CASE
    WHEN title = '{UNTITLED}' AND NOT EXISTS (SELECT FROM messages WHERE conversation_id = :conversation_id)
    THEN :title ELSE title END
  WHERE id = :conversation_id AND user_id = :user_id AND deleted_at IS NULL AND EXISTS (SELECT FROM allowed)
    AND (NOT :checks_seen OR head IS NOT DISTINCT FROM :seen::uuid)
  RETURNING id, old.head, instructions, allowed_tools, model, effort
"""  # noqa: S608
_START = """
  WITH {limits}, conversation AS ({conversation}), answering AS (
    SELECT CASE WHEN :status::text = 'queued' OR model = ANY(:models::text[]) THEN coalesce(model, '')
      ELSE :model END AS model FROM conversation
  ), run AS (
    INSERT INTO runs (id, user_id, username, conversation_id, message_id, client_request_id, note_id, approval,
      user_instructions, status, attempt, claimed_at, lease_until, model, mode, effort)
    SELECT :run_id, :user_id, :username, conversation.id, :message_id, :client_request_id, :note_id, :approval,
      :instructions, :status, :attempt, CASE WHEN :attempt > 0 THEN now() END, now() + :lease::interval,
      answering.model, :mode, conversation.effort
    FROM conversation, answering
  ), message AS (
    INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status)
    SELECT :message_id, conversation.id, :user_id,
      CASE WHEN :is_fork THEN :parent_id::uuid ELSE conversation.head END, :run_id, 'user', :text, 'complete'
    FROM conversation WHERE NOT :is_asked
  ), item AS (
    INSERT INTO session_items (conversation_id, seq, user_id, run_id, item)
    SELECT conversation.id,
      1 + coalesce((SELECT max(seq) FROM session_items WHERE conversation_id = conversation.id), 0), :user_id, :run_id,
      :item
    FROM conversation
  )
  SELECT counted.*, conversation.id IS NOT NULL AS is_started, now() AS created_at, conversation.instructions,
    conversation.allowed_tools, conversation.effort, answering.model
  FROM counted LEFT JOIN conversation ON true LEFT JOIN answering ON true
"""
_START_IN_NEW = Statement(_START.format(limits=LIMITS, conversation=_NEW_CONVERSATION))
_START_IN_EXISTING = Statement(_START.format(limits=LIMITS, conversation=_EXISTING_CONVERSATION))


@dataclass(frozen=True)
class Fork:
    """A new branch: another message after `parent_id`, or another answer to the message `question_id`."""

    parent_id: str | None = None
    question_id: str | None = None


@dataclass(frozen=True)
class Seen:
    """The last message of the branch that the sender saw, None if it had no messages."""

    message_id: str | None


@dataclass(frozen=True)
class NewRun:
    """`title`: the conversation's title if this is its first message. `fork`: where the message goes, if not to the end
    of the current branch. `seen`: with what that branch has to end; None if it may end with any message. `model`:
    answers from now on in this conversation; None for the one that did. `effort`: as `StartRun.effort`, if
    `names_effort`."""

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
    seen: Seen | None = None
    model: str | None = None
    effort: str | None = None
    names_effort: bool = False


@dataclass(frozen=True)
class Begun:
    """`is_new`: False if the request is a repetition and this is the run that it started before. `claimed`: the run for
    the worker that has claimed it with its beginning, if one has."""

    started: RunStarted
    is_new: bool
    claimed: ClaimedRun | None = None


class RunRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def start(self, new: NewRun, limits: RunLimitRepository, terms: Terms | None = None) -> Begun:
        """Writes conversation, message and run in one transaction. Nothing is started for a repetition, known by its
        `client_request_id` or run id. `terms`: those of the worker that claims the run at once; None leaves it queued.

        Raises `NotFound` for a foreign conversation, `RunActive` while it has an unfinished run, `StaleBranch` if it
        does not end with the message that the sender saw, `RateLimited`, and `QuotaExceeded` if there is no room for
        another conversation.
        """
        try:
            async with self.pool.acquire() as connection, for_user(connection, new.user_id):
                begun = await self._insert(connection, new, limits, terms)
        except (RateLimited, QuotaExceeded):
            existing = await self._same_request(new)
            if existing is None:
                raise
            return Begun(existing, is_new=False)
        except asyncpg.UniqueViolationError:
            begun = None
        return begun or Begun(await self._existing(new), is_new=False)

    async def _insert(
        self, connection: Any, new: NewRun, limits: RunLimitRepository, terms: Terms | None
    ) -> Begun | None:
        """None if no conversation takes the message: it is foreign, or its branch ends with another message. A
        repetition is one of the latter, because the first request has moved the end."""
        conversation_id, fork = new.conversation_id or new_id(), new.fork or Fork()
        message_id = fork.question_id or new_id()
        statement, end = _START_IN_NEW, {}
        if new.conversation_id:
            seen = new.seen
            statement = _START_IN_EXISTING
            end = {
                "names_effort": new.names_effort,
                "checks_seen": seen is not None,
                "seen": None if seen is None else seen.message_id,
            }
        row = await connection.fetchrow(
            *statement(
                conversation_id=conversation_id,
                user_id=new.user_id,
                title=new.title,
                message_id=message_id,
                run_id=new.id,
                username=new.username,
                client_request_id=new.client_request_id,
                note_id=new.note_id,
                text=new.text,
                item=json_text({"role": "user", "content": new.text}),
                approval=new.approval,
                instructions=new.instructions,
                is_fork=new.fork is not None,
                parent_id=fork.parent_id,
                is_asked=fork.question_id is not None,
                new_conversation=new.conversation_id is None,
                status="queued" if terms is None else "running",
                attempt=0 if terms is None else FIRST_ATTEMPT,
                lease=None if terms is None else terms.lease,
                chosen_model=new.model,
                chosen_effort=new.effort,
                model="" if terms is None else terms.model,
                models=() if terms is None else terms.models,
                mode="live" if terms is None else terms.mode,
                **limits.values,
                **end,
            )
        )
        limits.check(row, new_conversation=new.conversation_id is None)
        if not row["is_started"]:
            return None
        started = RunStarted(run_id=new.id, conversation_id=conversation_id)
        return Begun(started, True, None if terms is None else _claimed(new, conversation_id, message_id, row))

    async def _existing(self, new: NewRun) -> RunStarted:
        """After the database did not take the run: the run of the same request, else an error."""
        existing = await self._same_request(new)
        if existing is not None:
            return existing
        if new.conversation_id is not None:
            head = await self._head(new.user_id, new.conversation_id)
            active = await self._active(new.user_id, new.conversation_id)
            if active is not None:
                raise RunActive(run_id=active)
            if new.seen is not None:
                raise StaleBranch(current_message_id=head)
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

    async def started(self, user_id: str, client_request_id: str) -> RunStarted | None:
        """The run that a request with this key has started."""
        row = await self.pool.fetchrow(
            """
            SELECT id::text AS run_id, conversation_id::text FROM runs
            WHERE user_id = $1 AND client_request_id = $2
            """,
            *(user_id, client_request_id),
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

    async def _head(self, user_id: str, conversation_id: str) -> str | None:
        """The last message of the current branch. Raises `NotFound`."""
        row = await self.pool.fetchrow(
            "SELECT head::text FROM conversations WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL",
            *(user_id, conversation_id),
        )
        if row is None:
            raise NotFound
        return row["head"]

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


def _claimed(new: NewRun, conversation_id: str, message_id: str, row: Mapping[str, Any]) -> ClaimedRun:
    """The run as its first worker has it."""
    return ClaimedRun(
        id=new.id,
        user_id=new.user_id,
        username=new.username,
        conversation_id=conversation_id,
        message_id=message_id,
        note_id=new.note_id,
        status="running",
        attempt=FIRST_ATTEMPT,
        last_event_id=str(BEFORE_FIRST),
        model=row["model"],
        created_at=row["created_at"],
        cancel_requested=False,
        overdue=False,
        instructions=row["instructions"],
        user_instructions=new.instructions,
        approval=new.approval,
        allowed_tools=row["allowed_tools"],
        crashes=0,
        effort=row["effort"],
        usage=Usage(),
        error=None,
        finish_reason=None,
        first_message=new.text if new.conversation_id is None else None,
    )


def _run(row: Any) -> Run:
    if row is None:
        raise NotFound
    return Run(**shared_fields(row), created_at=row["created_at"], finished_at=row["finished_at"])


def shared_fields(row: Any) -> dict[str, Any]:
    """The fields of `COLUMNS` that both `Run` and `ClaimedRun` have."""
    names = ("id", "conversation_id", "status", "attempt", "last_event_id", "model")
    usage = {name: row[name] for name in Usage.model_fields}
    return {
        **{name: row[name] for name in names},
        "usage": Usage(**usage),
        "error": None if row["error"] is None else RunError(**row["error"]),
    }
