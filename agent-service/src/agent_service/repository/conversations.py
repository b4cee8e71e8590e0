"""Conversations in the form that their user sees."""

import base64
from datetime import UTC, datetime
from typing import Any

import orjson
from asyncpg.pool import Pool

from agent_service.repository.conversation_limits import ConversationLimits, for_user
from agent_service.repository.runs import UNTITLED
from agent_service.repository.values import parsed_or_text
from contracts.chat import (
    Conversation,
    ConversationPage,
    ConversationSummary,
    ConversationUsage,
    Message,
    Summary,
    ToolCall,
    UpdateConversation,
)
from contracts.errors import NotFound, ValidationFailed
from contracts.ids import new_id
from contracts.run_events import Usage

MAX_PAGE_BYTES = 1024**2
"""Of texts and calls, after which a page gets no further turn: an answer over NATS has room for four times as much."""
_SUMMARY_FIELDS = "message_id::text, text, model, created_at, edited_at"
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

    async def get(self, user_id: str, conversation_id: str, limit: int, before: str | None) -> Conversation:
        """With messages of the current branch, or of the one that ends with `before`, all from one snapshot. Raises
        `NotFound`.

        The branch is followed from its end, so that the newest messages of a long conversation cost no more than a
        short one. A page may be read on with the next one at any time: what comes before a message never changes.
        """
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            row = await connection.fetchrow(
                f"""
                SELECT {_SUMMARY}, head::text AS current_message_id,
                  (SELECT left_out_until::text FROM messages JOIN runs ON runs.id = run_id WHERE messages.id = head),
                  EXISTS (SELECT FROM summaries WHERE conversation_id = conversations.id) AS has_summaries,
                  CASE WHEN $3::uuid IS NULL THEN head
                    ELSE (SELECT parent_id FROM messages WHERE messages.id = $3 AND conversation_id = $2) END AS last,
                  $3::uuid IS NULL OR EXISTS (
                    SELECT FROM messages WHERE messages.id = $3 AND conversation_id = $2 AND user_id = $1) AS is_known
                FROM conversations WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL
                """,  # noqa: S608
                *(user_id, conversation_id, before),
            )
            found = _required(row)
            last, is_known, has_summaries = (found.pop(name) for name in ("last", "is_known", "has_summaries"))
            if not is_known:
                raise NotFound
            rows = await self._messages(connection, user_id, last, limit)
            calls = await self._calls(connection, user_id, [row["id"] for row in rows])
            head = found["current_message_id"]
            summary = await self._summary(connection, user_id, head) if has_summaries else None
        return Conversation(
            **found,
            messages=[Message(**dict(row), usage=_usage(row), tool_calls=calls.get(row["id"], [])) for row in rows],
            has_earlier=bool(rows) and rows[0]["parent_id"] is not None,
            summary=summary,
        )

    async def _messages(self, connection: Any, user_id: str, last: str | None, limit: int) -> list[Any]:
        """From a message of the user to `last`."""
        return await connection.fetch(
            """
            WITH RECURSIVE page AS (
              SELECT id, parent_id, role, 1 AS messages, octet_length(text) AS bytes FROM messages
              WHERE id = $2 AND user_id = $1
              UNION ALL
              SELECT above.id, above.parent_id, above.role, messages + 1, bytes + octet_length(text) + (
                SELECT coalesce(sum(octet_length(arguments) + coalesce(octet_length(result), 0)), 0)::integer
                FROM tool_calls WHERE message_id = above.id)
              FROM page JOIN messages AS above ON above.id = page.parent_id AND user_id = $1
              WHERE page.role = 'assistant' OR (messages < $3 AND bytes < $4)
            )
            SELECT messages.id::text, messages.parent_id::text, messages.role, text, run_id::text, messages.status,
                   messages.created_at,
                   messages.role = 'assistant' AND undone_at IS NOT NULL AS undone,
                   CASE WHEN messages.role = 'assistant'
                     THEN coalesce(messages.model, nullif(runs.model, '')) END AS model,
                   CASE WHEN messages.role = 'assistant' THEN finish_reason END AS finish_reason,
                   input_tokens, output_tokens, requests, cost, currency, runs.status AS run_status, error,
                   CASE WHEN cardinality(versions) > 1 THEN versions ELSE '{}' END AS siblings
            FROM page JOIN messages USING (id) LEFT JOIN runs ON runs.id = run_id
            CROSS JOIN LATERAL (
              SELECT array_agg(id::text ORDER BY seq) AS versions FROM messages AS version
              WHERE user_id = $1 AND version.parent_id = messages.parent_id
              UNION ALL
              SELECT array_agg(id::text ORDER BY seq) FROM messages AS version
              WHERE user_id = $1 AND messages.parent_id IS NULL AND version.parent_id IS NULL
                AND version.conversation_id = messages.conversation_id
              ORDER BY 1 NULLS LAST LIMIT 1
            ) AS siblings
            ORDER BY page.messages DESC
            """,
            *(user_id, last, limit, MAX_PAGE_BYTES),
        )

    async def _calls(self, connection: Any, user_id: str, messages: list[str]) -> dict[str, list[ToolCall]]:
        """Tool calls by the message they belong to."""
        rows = await connection.fetch(
            """
            SELECT message_id::text, call_id, name, arguments, status, result, duration_ms
            FROM tool_calls WHERE user_id = $1 AND message_id = ANY($2::uuid[]) ORDER BY seq
            """,
            *(user_id, messages),
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

    async def _summary(self, connection: Any, user_id: str, head: str | None) -> Summary | None:
        """The newest on the branch that ends with `head`."""
        row = await connection.fetchrow(
            f"""
            WITH RECURSIVE branch AS (
              SELECT id, parent_id FROM messages WHERE id = $2 AND user_id = $1
              UNION ALL
              SELECT messages.id, messages.parent_id FROM branch
                JOIN messages ON messages.id = branch.parent_id AND user_id = $1
              WHERE NOT EXISTS (SELECT FROM summaries WHERE message_id = branch.id)
            )
            SELECT {_SUMMARY_FIELDS} FROM summaries WHERE message_id IN (SELECT id FROM branch)
            """,  # noqa: S608
            *(user_id, head),
        )
        return None if row is None else Summary(**dict(row))

    async def update_summary(self, user_id: str, conversation_id: str, message_id: str, text: str) -> Summary:
        """Raises `NotFound`."""
        row = await self.pool.fetchrow(
            f"""
            UPDATE summaries SET text = $4, edited_at = now()
            WHERE user_id = $1 AND conversation_id = $2 AND message_id = $3 AND EXISTS (
              SELECT FROM conversations WHERE id = $2 AND user_id = $1 AND deleted_at IS NULL)
            RETURNING {_SUMMARY_FIELDS}
            """,  # noqa: S608
            *(user_id, conversation_id, message_id, text),
        )
        return Summary(**_required(row))

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
