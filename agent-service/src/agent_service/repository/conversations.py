"""Conversations in the form that their user sees."""

import base64
from datetime import UTC, datetime
from typing import Any

import orjson
from asyncpg.pool import Pool

from agent_service.repository.branches import branch
from agent_service.repository.conversation_limits import ConversationLimits, for_user
from agent_service.repository.runs import UNTITLED
from agent_service.repository.values import parsed_or_text
from contracts.chat import (
    Conversation,
    ConversationPage,
    ConversationSummary,
    ConversationUsage,
    Message,
    ToolCall,
    UpdateConversation,
)
from contracts.errors import NotFound, ValidationFailed
from contracts.ids import new_id
from contracts.run_events import Usage

_SUMMARY = """
  conversations.id::text, title, instructions, conversations.created_at, updated_at,
  conversations.model, conversations.effort,
  (SELECT runs.id::text FROM runs WHERE runs.conversation_id = conversations.id AND runs.user_id = $1
   AND runs.status IN ('queued', 'running', 'waiting')) AS active_run_id
"""


class ConversationRepository:
    def __init__(self, pool: Pool, limits: ConversationLimits) -> None:
        self.pool = pool
        self.limits = limits

    async def page(self, user_id: str, limit: int, cursor: str | None, q: str | None) -> ConversationPage:
        """Newest first. `q`: a text in the title or a message, ignoring case."""
        before, before_id = _read_cursor(cursor) if cursor else (None, None)
        rows = await self.pool.fetch(
            f"""
            SELECT {_SUMMARY} FROM conversations WHERE user_id = $1 AND deleted_at IS NULL
              AND ($2::timestamptz IS NULL OR (updated_at, id) < ($2, $3::uuid))
              AND ($4::text IS NULL OR title ILIKE $4 OR EXISTS (
                SELECT FROM messages WHERE conversation_id = conversations.id AND user_id = $1 AND text ILIKE $4))
            ORDER BY updated_at DESC, id DESC LIMIT $5
            """,  # noqa: S608
            *(user_id, before, before_id, _pattern(q), limit + 1),
        )
        page = [ConversationSummary(**dict(row)) for row in rows[:limit]]
        next_cursor = _write_cursor(page[-1]) if len(rows) > limit else None
        return ConversationPage(conversations=page, next_cursor=next_cursor)

    async def create(
        self, user_id: str, title: str | None, instructions: str, model: str | None, effort: str | None
    ) -> Conversation:
        """Raises `QuotaExceeded`."""
        async with self.pool.acquire() as connection, for_user(connection, user_id):
            await self.limits.check(connection, user_id, instructions, new_conversation=True)
            row = await connection.fetchrow(
                f"""
                INSERT INTO conversations (user_id, id, title, instructions, model, effort)
                VALUES ($1, $2, $3, $4, $5, $6)
                RETURNING {_SUMMARY}
                """,  # noqa: S608
                *(user_id, new_id(), title or UNTITLED, instructions, model, effort),
            )
        return Conversation(**_required(row), messages=[])

    async def usage(self, user_id: str) -> ConversationUsage:
        count = await self.pool.fetchval(
            "SELECT count(*) FROM conversations WHERE user_id = $1 AND deleted_at IS NULL", user_id
        )
        return ConversationUsage(conversations=count, conversations_max=self.limits.conversations)

    async def get(self, user_id: str, conversation_id: str) -> Conversation:
        """With the messages of the current branch, all from one snapshot."""
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            row = await connection.fetchrow(
                f"""
                SELECT {_SUMMARY}, head::text AS current_message_id FROM conversations
                WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
                """,  # noqa: S608
                *(user_id, conversation_id),
            )
            summary = _required(row)
            calls = await self._calls(connection, user_id, conversation_id)
            messages = await self._messages(connection, user_id, conversation_id)
        return Conversation(
            **summary,
            messages=[
                Message(**dict(row), usage=_usage(row), tool_calls=calls.get(row["id"], []), siblings=siblings)
                for row, siblings in branch(messages, summary["current_message_id"])
            ],
        )

    async def _messages(self, connection: Any, user_id: str, conversation_id: str) -> list[Any]:
        """The messages of all branches."""
        return await connection.fetch(
            """
            SELECT messages.id::text, parent_id::text, role, text, run_id::text, messages.status, messages.created_at,
                   role = 'assistant' AND undone_at IS NOT NULL AS undone,
                   CASE WHEN role = 'assistant' THEN coalesce(messages.model, nullif(runs.model, '')) END AS model,
                   CASE WHEN role = 'assistant' THEN finish_reason END AS finish_reason,
                   input_tokens, output_tokens, requests, cost, currency, runs.status AS run_status, error
            FROM messages LEFT JOIN runs ON runs.id = run_id
            WHERE messages.user_id = $1 AND messages.conversation_id = $2 ORDER BY seq
            """,
            *(user_id, conversation_id),
        )

    async def _calls(self, connection: Any, user_id: str, conversation_id: str) -> dict[str, list[ToolCall]]:
        """Tool calls by the message they belong to."""
        rows = await connection.fetch(
            """
            SELECT message_id::text, call_id, name, arguments, tool_calls.status, result, duration_ms
            FROM tool_calls JOIN messages ON messages.id = message_id
            WHERE tool_calls.user_id = $1 AND conversation_id = $2 ORDER BY tool_calls.seq
            """,
            *(user_id, conversation_id),
        )
        calls: dict[str, list[ToolCall]] = {}
        for row in rows:
            call = ToolCall(
                **{name: row[name] for name in ("call_id", "name", "status", "duration_ms")},
                arguments=parsed_or_text(row["arguments"]),
                result=None if row["result"] is None else orjson.loads(row["result"]),
            )
            calls.setdefault(row["message_id"], []).append(call)
        return calls

    async def update(self, request: UpdateConversation) -> ConversationSummary:
        """Changes what the request names, except the branch. Raises `NotFound`, and `QuotaExceeded` for instructions
        that there is no room for."""
        user_id, instructions = request.actor.user_id, request.instructions
        async with self.pool.acquire() as connection, for_user(connection, user_id):
            if instructions:
                await self.limits.check(connection, user_id, instructions, new_conversation=False)
            row = await connection.fetchrow(
                f"""
                UPDATE conversations SET title = coalesce($3, title), instructions = coalesce($4, instructions),
                  model = coalesce($5, model), effort = CASE WHEN $6 THEN $7 ELSE effort END
                WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL RETURNING {_SUMMARY}
                """,  # noqa: S608
                *(user_id, request.conversation_id, request.title, instructions, request.model),
                *(request.names_effort, request.effort),
            )
        return ConversationSummary(**_required(row))

    async def delete(self, user_id: str, conversation_id: str) -> str | None:
        """Hides the conversation; retention removes it once no worker writes to it. Returns the run to cancel, if
        any."""
        row = await self.pool.fetchrow(
            f"""
            UPDATE conversations SET deleted_at = now() WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
            RETURNING {_SUMMARY}
            """,  # noqa: S608
            *(user_id, conversation_id),
        )
        return _required(row)["active_run_id"]


def _required(row: Any) -> dict[str, Any]:
    if row is None:
        raise NotFound
    return dict(row)


def _usage(row: Any) -> Usage | None:
    if row["role"] != "assistant" or row["requests"] is None:
        return None
    return Usage(**{name: row[name] for name in Usage.model_fields})


def _pattern(q: str | None) -> str | None:
    if q is None or not q.strip():
        return None
    escaped = q.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _write_cursor(last: ConversationSummary) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([last.updated_at, last.id])).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        updated_at, conversation_id = orjson.loads(base64.urlsafe_b64decode(cursor))
        last = ConversationSummary(
            id=conversation_id, title="", instructions="", created_at=updated_at, updated_at=updated_at
        )
        # in UTC: the driver cannot convert a moment at either end of the calendar
        return last.updated_at.astimezone(UTC), last.id
    except (ValueError, TypeError, OverflowError):
        raise ValidationFailed(errors=[{"field": "cursor", "message": "is not one of ours"}]) from None
