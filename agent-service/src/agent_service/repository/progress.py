"""What a worker writes while it works on a run.

Every statement requires that the run still has the worker's attempt number (`held`), and writes only through the row
that this condition returns: a worker whose run was claimed again writes nothing and gets `LeaseLost`. Inserted rows
have ids chosen by the worker and `ON CONFLICT DO NOTHING`, so a statement can be repeated if its result was lost (then
only the usage is counted twice).
"""

from dataclasses import dataclass
from typing import Any, Literal

from asyncpg.pool import Pool

from agent_service.errors import LeaseLost
from agent_service.repository.claimed_run import ClaimedRun
from agent_service.repository.retry import with_retry
from agent_service.repository.values import json_text
from contracts.chat import RunError
from contracts.run_events import EventId, FinalStatus, Usage

_HELD = "WHERE id = $1 AND user_id = $2 AND attempt = $3"

_INSERT_ITEMS = """
  items AS (
    INSERT INTO session_items (conversation_id, seq, user_id, run_id, item)
    SELECT held.conversation_id, $4 + new.ordinal - 1, $2, $1, new.item
    FROM held, unnest($5::text[]) WITH ORDINALITY AS new (item, ordinal) ON CONFLICT DO NOTHING
  )
"""


@dataclass(frozen=True)
class RequestedCall:
    """A tool call as the model made it; `arguments` should be JSON. `requires_approval`: it waits for a decision."""

    call_id: str
    name: str
    arguments: str
    requires_approval: bool = False


@dataclass(frozen=True)
class AssistantMessage:
    """One response of the model. `items`: its session items, numbered from `seq` on."""

    message_id: str
    parent_id: str
    text: str
    items: list[Any]
    seq: int
    calls: list[RequestedCall]
    usage: Usage


@dataclass(frozen=True)
class ToolResult:
    """`result`: as the page shows it, perhaps cut; `item`: as the model gets it, with the number `seq`; `change`: the
    change that the call made to a note, if any."""

    call_id: str
    status: Literal["ok", "error", "denied"]
    result: Any
    truncated: bool
    duration_ms: int
    change: dict[str, Any] | None
    item: Any
    seq: int


class ProgressRepository:
    """All methods retry while the database is unavailable, and raise `LeaseLost` if the attempt is over."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def store_message(self, run: ClaimedRun, message: AssistantMessage) -> None:
        await self._write(
            f"""
            WITH held AS (
              UPDATE runs SET input_tokens = input_tokens + $6, output_tokens = output_tokens + $7,
                requests = requests + $8 {_HELD} AND finished_at IS NULL RETURNING id, conversation_id
            ), {_INSERT_ITEMS}, message AS (
              INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status)
              SELECT $9, held.conversation_id, $2, $10, $1, 'assistant', $11, 'complete' FROM held
              ON CONFLICT DO NOTHING
            ), calls AS (
              INSERT INTO tool_calls (run_id, call_id, user_id, message_id, name, arguments, approval)
              SELECT $1, new.call_id, $2, $9, new.name, new.arguments,
                CASE WHEN new.requires_approval THEN 'pending' END
              FROM held, unnest($12::text[], $13::text[], $14::text[], $15::boolean[])
                WITH ORDINALITY AS new (call_id, name, arguments, requires_approval, ordinal) ORDER BY new.ordinal
              ON CONFLICT DO NOTHING
            ), conversation AS (
              UPDATE conversations SET head = $9 FROM held
              WHERE conversations.id = held.conversation_id AND conversations.user_id = $2
            ) SELECT id FROM held
            """,  # noqa: S608
            *(run.id, run.user_id, run.attempt, message.seq, [json_text(item) for item in message.items]),
            *(message.usage.input_tokens, message.usage.output_tokens, message.usage.requests),
            *(message.message_id, message.parent_id, message.text),
            [call.call_id for call in message.calls],
            [call.name for call in message.calls],
            [call.arguments for call in message.calls],
            [call.requires_approval for call in message.calls],
        )

    async def store_result(self, run: ClaimedRun, result: ToolResult) -> None:
        await self._write(
            f"""
            WITH held AS (SELECT id, conversation_id FROM runs {_HELD} AND finished_at IS NULL FOR SHARE),
            {_INSERT_ITEMS}, calls AS (
              UPDATE tool_calls SET status = $7, result = $8, truncated = $9, change = $10, duration_ms = $11
              FROM held WHERE run_id = $1 AND user_id = $2 AND call_id = $6
            ) SELECT id FROM held
            """,  # noqa: S608
            *(run.id, run.user_id, run.attempt, result.seq, [json_text(result.item)], result.call_id, result.status),
            *(json_text(result.result), result.truncated, result.change and json_text(result.change)),
            result.duration_ms,
        )

    async def add_items(self, run: ClaimedRun, items: list[Any], seq: int) -> None:
        """Adds session items to the conversation, numbered from `seq` on."""
        await self._write(
            f"""
            WITH held AS (SELECT id, conversation_id FROM runs {_HELD} FOR SHARE), {_INSERT_ITEMS} SELECT id FROM held
            """,  # noqa: S608
            *(run.id, run.user_id, run.attempt, seq, [json_text(item) for item in items]),
        )

    async def finish(
        self,
        run: ClaimedRun,
        status: FinalStatus,
        error: RunError | None,
        finish_reason: str | None,
        *,
        message: AssistantMessage | None,
        spent: Usage,
    ) -> Usage:
        """Ends the run: the conversation accepts the next message. The event `done` may still be unsent.

        `message`: the last one of the model, which makes no calls; whole if the run is completed, else it was
        interrupted. `spent`: by this message, or by requests that ended without one. Returns the usage of the whole
        run.
        """
        texts = [] if message is None else [message]
        row = await self._write(
            f"""
            WITH held AS (
              UPDATE runs SET status = $6, error = $7, finish_reason = $8, finished_at = coalesce(finished_at, now()),
                input_tokens = input_tokens + CASE WHEN finished_at IS NULL THEN $12::bigint ELSE 0 END,
                output_tokens = output_tokens + CASE WHEN finished_at IS NULL THEN $13::bigint ELSE 0 END,
                requests = requests + CASE WHEN finished_at IS NULL THEN $14::integer ELSE 0 END
              {_HELD} AND (finished_at IS NULL OR status = $6)
              RETURNING conversation_id, input_tokens, output_tokens, requests
            ), {_INSERT_ITEMS}, message AS (
              INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status)
              SELECT part.id, held.conversation_id, $2, part.parent_id, $1, 'assistant', part.text,
                CASE WHEN $6 = 'completed' THEN 'complete' ELSE $6 END
              FROM held, unnest($9::uuid[], $10::uuid[], $11::text[]) AS part (id, parent_id, text)
              ON CONFLICT DO NOTHING
            ), conversation AS (
              UPDATE conversations SET updated_at = now(), head = coalesce(($9::uuid[])[1], head)
              FROM held WHERE id = held.conversation_id AND user_id = $2
            ) SELECT input_tokens, output_tokens, requests FROM held
            """,  # noqa: S608
            *(run.id, run.user_id, run.attempt),
            *(message.seq if message else 0, [json_text(item) for item in message.items] if message else []),
            *(status, None if error is None else error.model_dump(), finish_reason),
            [part.message_id for part in texts],
            [part.parent_id for part in texts],
            [part.text for part in texts],
            *(spent.input_tokens, spent.output_tokens, spent.requests),
        )
        return Usage(**row)

    async def close(self, run: ClaimedRun, last: EventId) -> None:
        """The event `done`, the `last`, is in the log: no worker has anything left to do for this run."""
        await self._write(
            f"""
            UPDATE runs SET done_at = now(), last_event_attempt = $4, last_event_id = $5, lease_until = NULL {_HELD}
            RETURNING id
            """,  # noqa: S608
            *(run.id, run.user_id, run.attempt, last.attempt, last.number),
        )

    async def _write(self, statement: str, *values: Any) -> dict[str, Any]:
        row = await with_retry(lambda: self.pool.fetchrow(statement, *values))
        if row is None:
            raise LeaseLost
        return dict(row)
