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
    conversation; `size`: bytes of JSON."""

    seq: int
    run_id: str
    item: dict[str, Any]
    size: int


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

    async def session_items(self, user_id: str, run_id: str, *, max_bytes: int) -> list[SessionItem]:
        """All items of the run and the newest ones before it on its branch, at most about `max_bytes` of JSON together,
        oldest first. A user's message without an answer belongs to the run that was to answer it."""
        rows = await with_retry(
            lambda: self.pool.fetch(
                """
                WITH RECURSIVE run AS (
                  SELECT id, message_id, conversation_id FROM runs WHERE id = $2 AND user_id = $1
                ), branch AS (
                  SELECT messages.parent_id, role, messages.run_id, false AS counts
                  FROM messages JOIN run ON messages.id = run.message_id WHERE user_id = $1
                  UNION ALL
                  SELECT messages.parent_id, messages.role, messages.run_id,
                    messages.role = 'assistant' OR branch.role = 'user'
                  FROM messages JOIN branch ON messages.id = branch.parent_id WHERE user_id = $1
                )
                SELECT seq, run_id::text, item FROM (
                  SELECT seq, run_id, item, sum(octet_length(item)) OVER (ORDER BY seq DESC) AS so_far
                  FROM session_items WHERE user_id = $1 AND conversation_id = (SELECT conversation_id FROM run)
                    AND (run_id = $2 OR run_id IN (SELECT run_id FROM branch WHERE counts))
                ) AS all_items WHERE so_far <= $3 OR run_id = $2 ORDER BY seq
                """,
                *(user_id, run_id, max_bytes),
            )
        )
        return [
            SessionItem(seq=row["seq"], run_id=row["run_id"], item=orjson.loads(row["item"]), size=len(row["item"]))
            for row in rows
        ]

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
