"""What a worker writes while it has a run. Every statement names the attempt, so that no two workers write."""

from dataclasses import dataclass
from typing import Any, Literal

from asyncpg.pool import Pool

from agent_service.errors import LostRun
from agent_service.repository.claims import ClaimedRun
from agent_service.repository.patience import patiently
from agent_service.repository.values import json_text
from contracts.chat import RunError
from contracts.run_events import Usage

_MINE = "WHERE id = $1 AND user_id = $2 AND attempt = $3"

_REMEMBER = """
  remembered AS (
    INSERT INTO session_items (conversation_id, seq, user_id, run_id, item)
    SELECT mine.conversation_id, $4 + new.place - 1, $2, $1, new.item
    FROM mine, unnest($5::text[]) WITH ORDINALITY AS new (item, place) ON CONFLICT DO NOTHING
  )
"""


@dataclass(frozen=True)
class Call:
    """A tool call as the model made it, in plain text; `arguments` is meant to be JSON. `waits`: for a person."""

    call_id: str
    name: str
    arguments: str
    waits: bool = False


@dataclass(frozen=True)
class Answer:
    """What one call of the model brought, in plain text. `items` go to memory from place `seq` on."""

    message_id: str
    parent_id: str
    text: str
    items: list[Any]
    seq: int
    calls: list[Call]
    usage: Usage


@dataclass(frozen=True)
class ToolResult:
    """`result` as people see it (cut), `item` as the model does; `change` is the note change it made, if any."""

    call_id: str
    status: Literal["ok", "error", "denied"]
    result: Any
    truncated: bool
    duration_ms: int
    change: dict[str, Any] | None
    item: Any
    seq: int


class ProgressRepository:
    """All methods wait out a short absence of the database, and raise `LostRun` where the attempt is over."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def store_answer(self, run: ClaimedRun, answer: Answer) -> None:
        await self._write(
            f"""
            WITH mine AS (
              UPDATE runs SET input_tokens = input_tokens + $6, output_tokens = output_tokens + $7,
                requests = requests + $8 {_MINE} AND finished_at IS NULL RETURNING id, conversation_id
            ), {_REMEMBER}, said AS (
              INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status)
              SELECT $9, mine.conversation_id, $2, $10, $1, 'assistant', $11, 'complete' FROM mine
              ON CONFLICT DO NOTHING
            ), called AS (
              INSERT INTO tool_calls (run_id, call_id, user_id, message_id, name, arguments, approval)
              SELECT $1, new.call_id, $2, $9, new.name, new.arguments, CASE WHEN new.waits THEN 'pending' END
              FROM mine, unnest($12::text[], $13::text[], $14::text[], $15::boolean[])
                WITH ORDINALITY AS new (call_id, name, arguments, waits, place) ORDER BY new.place
              ON CONFLICT DO NOTHING
            ), moved AS (
              UPDATE conversations SET head = $9 FROM mine
              WHERE conversations.id = mine.conversation_id AND conversations.user_id = $2
            ) SELECT id FROM mine
            """,  # noqa: S608
            *(run.id, run.user_id, run.attempt, answer.seq, [json_text(item) for item in answer.items]),
            *(answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.requests),
            *(answer.message_id, answer.parent_id, answer.text),
            [call.call_id for call in answer.calls],
            [call.name for call in answer.calls],
            [call.arguments for call in answer.calls],
            [call.waits for call in answer.calls],
        )

    async def store_result(self, run: ClaimedRun, result: ToolResult) -> None:
        await self._write(
            f"""
            WITH mine AS (SELECT id, conversation_id FROM runs {_MINE} AND finished_at IS NULL FOR SHARE),
            {_REMEMBER}, done AS (
              UPDATE tool_calls SET status = $7, result = $8, truncated = $9, change = $10, duration_ms = $11
              FROM mine WHERE run_id = $1 AND user_id = $2 AND call_id = $6
            ) SELECT id FROM mine
            """,  # noqa: S608
            *(run.id, run.user_id, run.attempt, result.seq, [json_text(result.item)], result.call_id, result.status),
            *(json_text(result.result), result.truncated, result.change and json_text(result.change)),
            result.duration_ms,
        )

    async def remember(self, run: ClaimedRun, items: list[Any], seq: int) -> None:
        """Adds to what the model remembers of the conversation."""
        await self._write(
            f"""
            WITH mine AS (SELECT id, conversation_id FROM runs {_MINE} FOR SHARE), {_REMEMBER} SELECT id FROM mine
            """,  # noqa: S608
            *(run.id, run.user_id, run.attempt, seq, [json_text(item) for item in items]),
        )

    async def finish(
        self,
        run: ClaimedRun,
        status: Literal["completed", "failed", "cancelled"],
        error: RunError | None,
        finish_reason: str | None,
        partial: Answer | None = None,
    ) -> Usage:
        """Makes the end known: the conversation is free for the next message. The event `done` may still be unsent.

        `partial`: the text of an answer that did not come to its end.
        """
        texts = [] if partial is None else [partial]
        row = await self._write(
            f"""
            WITH mine AS (
              UPDATE runs SET status = $6, error = $7, finish_reason = $8, finished_at = coalesce(finished_at, now())
              {_MINE} AND (finished_at IS NULL OR status = $6)
              RETURNING conversation_id, input_tokens, output_tokens, requests
            ), {_REMEMBER}, said AS (
              INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status)
              SELECT part.id, mine.conversation_id, $2, part.parent_id, $1, 'assistant', part.text, $6
              FROM mine, unnest($9::uuid[], $10::uuid[], $11::text[]) AS part (id, parent_id, text)
              ON CONFLICT DO NOTHING
            ), touched AS (
              UPDATE conversations SET updated_at = now(), head = coalesce(($9::uuid[])[1], head)
              FROM mine WHERE id = mine.conversation_id AND user_id = $2
            ) SELECT input_tokens, output_tokens, requests FROM mine
            """,  # noqa: S608
            *(run.id, run.user_id, run.attempt),
            *(partial.seq if partial else 0, [json_text(item) for item in partial.items] if partial else []),
            *(status, None if error is None else error.model_dump(), finish_reason),
            [part.message_id for part in texts],
            [part.parent_id for part in texts],
            [part.text for part in texts],
        )
        return Usage(**row)

    async def close(self, run: ClaimedRun, last_event_id: int) -> None:
        """The event `done` is in the stream: nobody has anything left to do for this run."""
        await self._write(
            f"UPDATE runs SET done_at = now(), last_event_id = $4, lease_until = NULL {_MINE} RETURNING id",  # noqa: S608
            *(run.id, run.user_id, run.attempt, last_event_id),
        )

    async def _write(self, statement: str, *values: Any) -> dict[str, Any]:
        row = await patiently(lambda: self.pool.fetchrow(statement, *values))
        if row is None:
            raise LostRun
        return dict(row)
