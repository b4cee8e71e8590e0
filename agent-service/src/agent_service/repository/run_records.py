"""Reading what is stored of a run and its conversation: for the model, for a takeover, for a rebuild of its events."""

from dataclasses import dataclass
from typing import Any, Literal

import orjson
from asyncpg.pool import Pool

from agent_service.repository.retry import with_retry
from contracts.actor import ActorKind
from contracts.chat import Mode, RunError
from contracts.run_events import FinalStatus, Usage


@dataclass(frozen=True)
class StoredMessage:
    """`model`: the id of the one that wrote it; None of an older version."""

    id: str
    text: str
    status: Literal["complete", "cancelled", "failed"]
    model: str | None


@dataclass(frozen=True)
class StoredCall:
    """`result`: None while the call has none; `change`: as in the event `notes_changed`. `approval`: None if it
    requires none; `decided_by` and `denied_because`: set with the decision."""

    call_id: str
    message_id: str
    name: str
    arguments: str
    status: Literal["running", "ok", "error", "denied"]
    result: Any
    truncated: bool
    change: dict[str, Any] | None
    duration_ms: int
    approval: Literal["pending", "approved", "denied"] | None = None
    decided_by: ActorKind | None = None
    denied_because: str | None = None

    @property
    def is_pending(self) -> bool:
        return self.status == "running" and self.approval == "pending"


@dataclass(frozen=True)
class RunRecord:
    """A run's assistant messages in order, and its tool calls in the order in which the model made them."""

    messages: list[StoredMessage]
    calls: list[StoredCall]

    @property
    def pending(self) -> list[StoredCall]:
        """The calls that wait for a decision."""
        return [call for call in self.calls if call.is_pending]


@dataclass(frozen=True)
class SessionItem:
    """One item of the conversation in the SDK's form: a message, a tool call or its output. `seq` counts within the
    conversation; `last_message_id`: of its run on the branch, None in the run that is under way."""

    seq: int
    run_id: str
    last_message_id: str | None
    item: dict[str, Any]


@dataclass(frozen=True)
class StoredSummary:
    """`message_id`: the last message that it covers."""

    message_id: str
    text: str


@dataclass(frozen=True)
class StoredHistory:
    """What was read of a run's branch. `summary`: of what comes before the items, if there is one; `cut_at`: the last
    message before them, if it is not in the summary."""

    items: list[SessionItem]
    summary: StoredSummary | None = None
    cut_at: str | None = None


@dataclass(frozen=True)
class FinishedRun:
    """What the first and the last event of a finished run say."""

    conversation_id: str
    status: FinalStatus
    model: str
    mode: Mode
    finish_reason: str | None
    error: RunError | None
    usage: Usage


class RunRecordRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def history(self, user_id: str, run_id: str, *, max_bytes: int) -> StoredHistory:
        """All items of the run, and those before it on its branch, oldest first: back to the newest summary, or until
        they have `max_bytes` of JSON. A user's message without an answer belongs to the run that was to answer it.

        The branch is followed from its end, so that a long conversation costs no more than a short one.
        """
        rows = await with_retry(
            lambda: self.pool.fetch(
                """
                WITH RECURSIVE branch AS (
                  SELECT messages.id, messages.parent_id, role, messages.run_id, false AS is_last, 0::bigint AS bytes,
                    0 AS steps
                  FROM messages JOIN runs ON messages.id = runs.message_id
                  WHERE runs.id = $2 AND runs.user_id = $1 AND messages.user_id = $1
                  UNION ALL
                  SELECT messages.id, messages.parent_id, messages.role, messages.run_id, step.is_last,
                    branch.bytes + CASE WHEN step.is_last THEN (
                      SELECT coalesce(sum(octet_length(item)), 0) FROM session_items
                      WHERE session_items.run_id = messages.run_id AND user_id = $1) ELSE 0 END,
                    steps + 1
                  FROM branch JOIN messages ON messages.id = branch.parent_id AND messages.user_id = $1
                  CROSS JOIN LATERAL (SELECT CASE messages.role
                    WHEN 'user' THEN branch.role = 'user'
                    ELSE branch.role = 'user' OR branch.run_id <> messages.run_id END AS is_last) AS step
                  WHERE bytes < $3 AND NOT EXISTS (
                    SELECT FROM summaries WHERE message_id = branch.parent_id AND user_id = $1)
                ), oldest AS (
                  SELECT parent_id FROM branch ORDER BY steps DESC LIMIT 1
                )
                SELECT seq, session_items.run_id::text, answered.id::text AS message_id, item
                FROM (SELECT run_id, id FROM branch WHERE is_last UNION ALL SELECT $2, NULL) AS answered
                  JOIN session_items ON session_items.run_id = answered.run_id AND user_id = $1
                UNION ALL
                SELECT NULL, NULL, oldest.parent_id::text, text
                FROM oldest LEFT JOIN summaries ON message_id = oldest.parent_id AND user_id = $1
                WHERE oldest.parent_id IS NOT NULL
                ORDER BY seq NULLS FIRST
                """,
                *(user_id, run_id, max_bytes),
            )
        )
        before = rows.pop(0) if rows and rows[0]["seq"] is None else None
        items = [SessionItem(row["seq"], row["run_id"], row["message_id"], orjson.loads(row["item"])) for row in rows]
        if before is None:
            return StoredHistory(items)
        if before["item"] is not None:
            return StoredHistory(items, StoredSummary(before["message_id"], before["item"]))
        return _without_oldest(items, before["message_id"])

    async def of_run(self, user_id: str, run_id: str) -> RunRecord:
        messages = await with_retry(
            lambda: self.pool.fetch(
                """
                SELECT id::text, text, status, model FROM messages
                WHERE run_id = $2 AND user_id = $1 AND role = 'assistant' ORDER BY seq
                """,
                *(user_id, run_id),
            )
        )
        calls = await with_retry(
            lambda: self.pool.fetch(
                """
                SELECT call_id, message_id::text, name, arguments, status, result, truncated, change, duration_ms,
                  approval, decided_by, denied_because
                FROM tool_calls WHERE run_id = $2 AND user_id = $1 ORDER BY seq
                """,
                *(user_id, run_id),
            )
        )
        return RunRecord(
            messages=[StoredMessage(**dict(row)) for row in messages],
            calls=[
                StoredCall(
                    **{name: row[name] for name in ("call_id", "message_id", "name", "arguments", "status")},
                    **{name: row[name] for name in ("approval", "decided_by", "denied_because")},
                    result=None if row["result"] is None else orjson.loads(row["result"]),
                    truncated=row["truncated"],
                    change=None if row["change"] is None else orjson.loads(row["change"]),
                    duration_ms=row["duration_ms"] or 0,
                )
                for row in calls
            ],
        )

    async def finished(self, user_id: str, run_id: str) -> FinishedRun | None:
        """None for an unfinished or foreign run."""
        row = await self.pool.fetchrow(
            """
            SELECT conversation_id::text, status, model, mode, error, finish_reason,
              input_tokens, output_tokens, requests, cost, currency
            FROM runs WHERE id = $2 AND user_id = $1 AND finished_at IS NOT NULL
            """,
            *(user_id, run_id),
        )
        if row is None:
            return None
        return FinishedRun(
            **{name: row[name] for name in ("conversation_id", "status", "model", "mode", "finish_reason")},
            error=None if row["error"] is None else RunError(**row["error"]),
            usage=Usage(**{name: row[name] for name in Usage.model_fields}),
        )


def _without_oldest(items: list[SessionItem], cut_at: str) -> StoredHistory:
    """Of the run in which the limit was reached, no more may be known than its last message."""
    oldest = items[0].last_message_id
    if oldest is None:
        return StoredHistory(items, cut_at=cut_at)
    return StoredHistory([item for item in items if item.last_message_id != oldest], cut_at=oldest)
