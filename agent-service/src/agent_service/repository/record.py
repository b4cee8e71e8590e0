"""What the database keeps of a run and of its conversation's memory: for the model, for a takeover, for a replay."""

from dataclasses import dataclass
from typing import Any, Literal

import orjson
from asyncpg.pool import Pool

from agent_service.repository.patience import patiently
from contracts.actor import ActorKind


@dataclass(frozen=True)
class RecordedMessage:
    id: str
    text: str
    status: Literal["complete", "cancelled", "failed"]


@dataclass(frozen=True)
class RecordedCall:
    """`result` None while the call has none; `change` as in the event `notes_changed`. `approval` None: it needs
    nobody's word; `decided_by` and `denied_because` once it has got one."""

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
    def waits(self) -> bool:
        return self.status == "running" and self.approval == "pending"


@dataclass(frozen=True)
class Record:
    """A run's own messages in order, and its calls in the order the model made them."""

    messages: list[RecordedMessage]
    calls: list[RecordedCall]

    @property
    def waiting(self) -> list[RecordedCall]:
        """The calls that are not made before a person allows them."""
        return [call for call in self.calls if call.waits]


@dataclass(frozen=True)
class Memory:
    """One item of what the model has seen or said, in the SDK's own form; `seq` counts in its conversation."""

    seq: int
    run_id: str
    item: dict[str, Any]
    size: int


class RecordRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def memories(self, user_id: str, run_id: str, *, most_bytes: int) -> list[Memory]:
        """The newest items of the run's branch, oldest first, at most about `most_bytes` of JSON, but all of the run's
        own. A message that nothing answered is remembered with the run that was to."""
        rows = await patiently(
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
                *(user_id, run_id, most_bytes),
            )
        )
        return [
            Memory(seq=row["seq"], run_id=row["run_id"], item=orjson.loads(row["item"]), size=len(row["item"]))
            for row in rows
        ]

    async def of_run(self, user_id: str, run_id: str) -> Record:
        messages = await patiently(
            lambda: self.pool.fetch(
                """
                SELECT id::text, text, status FROM messages
                WHERE run_id = $2 AND user_id = $1 AND role = 'assistant' ORDER BY seq
                """,
                *(user_id, run_id),
            )
        )
        calls = await patiently(
            lambda: self.pool.fetch(
                """
                SELECT call_id, message_id::text, name, arguments, status, result, truncated, change, duration_ms,
                  approval, decided_by, denied_because
                FROM tool_calls WHERE run_id = $2 AND user_id = $1 ORDER BY seq
                """,
                *(user_id, run_id),
            )
        )
        return Record(
            messages=[RecordedMessage(row["id"], row["text"], row["status"]) for row in messages],
            calls=[
                RecordedCall(
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

    async def ending(self, user_id: str, run_id: str) -> dict[str, Any] | None:
        """How a finished run ended, with what the event `run` says; None for an unfinished or foreign one."""
        row = await self.pool.fetchrow(
            """
            SELECT conversation_id::text, status, model, mode, error, finish_reason,
              input_tokens, output_tokens, requests
            FROM runs WHERE id = $2 AND user_id = $1 AND finished_at IS NOT NULL
            """,
            *(user_id, run_id),
        )
        return None if row is None else dict(row)
