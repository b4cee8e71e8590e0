"""What a worker writes while it works on a run.

Every statement requires that the run still has the worker's attempt number (`held`), and writes only through the row
that this condition returns: a worker whose run was claimed again writes nothing and gets `LeaseLost`. Inserted rows
have ids chosen by the worker and `ON CONFLICT DO NOTHING`, and usage counts with the first insertion: a statement can
be repeated if its result was lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from asyncpg.pool import Pool

from agent_service.errors import LeaseLost
from agent_service.repository.claimed_run import ClaimedRun
from agent_service.repository.retry import with_retry
from agent_service.repository.values import json_text
from contracts.chat import RunError
from contracts.run_events import EventId, FinalStatus, Usage
from servicekit.sql import Statement

_HELD = "WHERE id = :run_id AND user_id = :user_id AND attempt = :attempt"

_INSERT_ITEMS = """
  items AS (
    INSERT INTO session_items (conversation_id, seq, user_id, run_id, item)
    SELECT held.conversation_id, :seq + new.ordinal - 1, :user_id, :run_id, new.item
    FROM held, unnest(:items::text[]) WITH ORDINALITY AS new (item, ordinal) ON CONFLICT DO NOTHING
  )
"""
_SPENT = """
  spent AS (
    SELECT * FROM unnest(:models::text[], :input_tokens::bigint[], :output_tokens::bigint[], :requests::integer[],
      :costs::numeric[], :currencies::text[]) AS spent (model, input_tokens, output_tokens, requests, cost, currency)
  ), total AS (
    SELECT coalesce(sum(input_tokens), 0)::bigint AS input_tokens, coalesce(sum(output_tokens), 0)::bigint
      AS output_tokens, coalesce(sum(requests), 0)::integer AS requests, sum(cost) AS cost, max(currency) AS currency
    FROM spent
  )
"""
_ADD_TOTAL = """
  input_tokens = runs.input_tokens + CASE WHEN {counts} THEN total.input_tokens ELSE 0 END,
  output_tokens = runs.output_tokens + CASE WHEN {counts} THEN total.output_tokens ELSE 0 END,
  requests = runs.requests + CASE WHEN {counts} THEN total.requests ELSE 0 END,
  currency = coalesce(runs.currency, total.currency),
  cost = CASE WHEN {counts} AND total.currency = coalesce(runs.currency, total.currency)
    THEN coalesce(runs.cost, 0) + total.cost ELSE runs.cost END
"""
"""Amounts in two currencies are not added: the list of models has another one than when the run began."""
_COUNT_DAY = """
  day AS (
    INSERT INTO daily_usage (user_id, day, model, currency, input_tokens, output_tokens, requests, cost)
    SELECT :user_id, (now() AT TIME ZONE 'UTC')::date, spent.model, coalesce(spent.currency, ''), spent.input_tokens,
      spent.output_tokens, spent.requests, spent.cost
    FROM held, spent WHERE held.counts ORDER BY spent.model
    ON CONFLICT (user_id, day, model, currency) DO UPDATE SET
      input_tokens = daily_usage.input_tokens + excluded.input_tokens,
      output_tokens = daily_usage.output_tokens + excluded.output_tokens,
      requests = daily_usage.requests + excluded.requests, cost = daily_usage.cost + excluded.cost
  )
"""
"""`held` says whether this statement `counts`: a repetition does not. In the order of the models, so that two runs of a
user never wait for each other's rows in a circle."""

_IS_NEW_MESSAGE = "NOT EXISTS (SELECT FROM messages WHERE messages.id = :message_id)"
_STORE_MESSAGE = Statement(
    f"""
    WITH {_SPENT}, held AS (
      UPDATE runs SET {_ADD_TOTAL.format(counts=_IS_NEW_MESSAGE)} FROM total {_HELD} AND finished_at IS NULL
      RETURNING id, conversation_id, {_IS_NEW_MESSAGE} AS counts
    ), {_COUNT_DAY}, {_INSERT_ITEMS}, message AS (
      INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status, model)
      SELECT :message_id, held.conversation_id, :user_id, :parent_id, :run_id, 'assistant', :text, 'complete', :model
      FROM held ON CONFLICT DO NOTHING
    ), calls AS (
      INSERT INTO tool_calls (run_id, call_id, user_id, message_id, name, arguments, approval)
      SELECT :run_id, new.call_id, :user_id, :message_id, new.name, new.arguments,
        CASE WHEN new.requires_approval THEN 'pending' END
      FROM held, unnest(:call_ids::text[], :names::text[], :arguments::text[], :requires_approval::boolean[])
        WITH ORDINALITY AS new (call_id, name, arguments, requires_approval, ordinal) ORDER BY new.ordinal
      ON CONFLICT DO NOTHING
    ), conversation AS (
      UPDATE conversations SET head = :message_id FROM held
      WHERE conversations.id = held.conversation_id AND conversations.user_id = :user_id
    ) SELECT id FROM held
    """  # noqa: S608
)
_FINISH = Statement(
    f"""
    WITH {_SPENT}, held AS (
      UPDATE runs SET status = :status, error = :error, finish_reason = :finish_reason,
        finished_at = coalesce(finished_at, now()), model = CASE WHEN finished_at IS NULL THEN :model ELSE model END,
        {_ADD_TOTAL.format(counts="finished_at IS NULL")}
      FROM total {_HELD} AND (finished_at IS NULL OR status = :status)
      RETURNING conversation_id, runs.input_tokens, runs.output_tokens, runs.requests, runs.cost, runs.currency,
        old.finished_at IS NULL AS counts
    ), {_COUNT_DAY}, {_INSERT_ITEMS}, message AS (
      INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status, model)
      SELECT part.id, held.conversation_id, :user_id, part.parent_id, :run_id, 'assistant', part.text,
        CASE WHEN :status = 'completed' THEN 'complete' ELSE :status END, :model
      FROM held, unnest(:message_ids::uuid[], :parent_ids::uuid[], :texts::text[]) AS part (id, parent_id, text)
      ON CONFLICT DO NOTHING
    ), conversation AS (
      UPDATE conversations SET updated_at = now(), head = coalesce((:message_ids::uuid[])[1], head)
      FROM held WHERE id = held.conversation_id AND user_id = :user_id
    ) SELECT input_tokens, output_tokens, requests, cost, currency FROM held
    """  # noqa: S608
)
_STORE_RESULT = Statement(
    f"""
    WITH held AS (SELECT id, conversation_id FROM runs {_HELD} AND finished_at IS NULL FOR SHARE),
    {_INSERT_ITEMS}, calls AS (
      UPDATE tool_calls SET status = :status, result = :result, truncated = :truncated, change = :change,
        duration_ms = :duration_ms
      FROM held WHERE run_id = :run_id AND user_id = :user_id AND call_id = :call_id
    ) SELECT id FROM held
    """  # noqa: S608
)
_ADD_ITEMS = Statement(
    f"WITH held AS (SELECT id, conversation_id FROM runs {_HELD} FOR SHARE), {_INSERT_ITEMS} SELECT id FROM held"  # noqa: S608
)
_IS_NEW_SUMMARY = "NOT EXISTS (SELECT FROM summaries WHERE summaries.message_id = :message_id)"
_STORE_SUMMARY = Statement(
    f"""
    WITH {_SPENT}, held AS (
      UPDATE runs SET {_ADD_TOTAL.format(counts=_IS_NEW_SUMMARY)} FROM total {_HELD} AND finished_at IS NULL
      RETURNING id, conversation_id, {_IS_NEW_SUMMARY} AS counts
    ), {_COUNT_DAY}, summary AS (
      INSERT INTO summaries (message_id, conversation_id, user_id, text, model)
      SELECT :message_id, held.conversation_id, :user_id, :text, :model FROM held ON CONFLICT DO NOTHING
    ) SELECT id FROM held
    """  # noqa: S608
)
_LEAVE_OUT = Statement(
    f"""
    WITH {_SPENT}, held AS (
      UPDATE runs SET left_out_until = :message_id,
        {_ADD_TOTAL.format(counts="runs.left_out_until IS DISTINCT FROM :message_id")}
      FROM total {_HELD} AND finished_at IS NULL
      RETURNING id, old.left_out_until IS DISTINCT FROM :message_id AS counts
    ), {_COUNT_DAY} SELECT id FROM held
    """  # noqa: S608
)
_CLOSE = Statement(
    f"""
    UPDATE runs SET done_at = now(), last_event_attempt = :last_attempt, last_event_id = :last_number,
      lease_until = NULL {_HELD} RETURNING id
    """  # noqa: S608
)


@dataclass(frozen=True)
class RequestedCall:
    """A tool call as the model made it; `arguments` should be JSON. `requires_approval`: it waits for a decision."""

    call_id: str
    name: str
    arguments: str
    requires_approval: bool = False


@dataclass(frozen=True)
class AssistantMessage:
    """One response of the model with the id `model`. `items`: its session items, numbered from `seq` on. `usage`: by
    model, as others may have been asked before it."""

    message_id: str
    parent_id: str
    model: str
    text: str
    items: list[Any]
    seq: int
    calls: list[RequestedCall]
    usage: Mapping[str, Usage]


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
            *_STORE_MESSAGE(
                **_held(run),
                **_items(message.seq, message.items),
                **_usage(message.usage),
                message_id=message.message_id,
                parent_id=message.parent_id,
                text=message.text,
                model=message.model,
                call_ids=[call.call_id for call in message.calls],
                names=[call.name for call in message.calls],
                arguments=[call.arguments for call in message.calls],
                requires_approval=[call.requires_approval for call in message.calls],
            )
        )

    async def store_result(self, run: ClaimedRun, result: ToolResult) -> None:
        await self._write(
            *_STORE_RESULT(
                **_held(run),
                **_items(result.seq, [result.item]),
                call_id=result.call_id,
                status=result.status,
                result=json_text(result.result),
                truncated=result.truncated,
                change=result.change and json_text(result.change),
                duration_ms=result.duration_ms,
            )
        )

    async def add_items(self, run: ClaimedRun, items: list[Any], seq: int) -> None:
        """Adds session items to the conversation, numbered from `seq` on."""
        await self._write(*_ADD_ITEMS(**_held(run), **_items(seq, items)))

    async def store_summary(
        self, run: ClaimedRun, message_id: str, text: str, model: str, usage: Mapping[str, Usage]
    ) -> None:
        """By the model with the id `model`, of the run's branch up to `message_id`. One that is stored already, perhaps
        edited, stays."""
        await self._write(*_STORE_SUMMARY(**_held(run), **_usage(usage), message_id=message_id, text=text, model=model))

    async def leave_out(self, run: ClaimedRun, message_id: str, usage: Mapping[str, Usage]) -> None:
        """The run's model gets nothing of its branch up to `message_id` that is not in an earlier summary. `usage`: of
        an attempt at a summary that came to nothing."""
        await self._write(*_LEAVE_OUT(**_held(run), **_usage(usage), message_id=message_id))

    async def finish(
        self,
        run: ClaimedRun,
        status: FinalStatus,
        error: RunError | None,
        finish_reason: str | None,
        model: str,
        *,
        message: AssistantMessage | None,
        spent: Mapping[str, Usage],
    ) -> Usage:
        """Ends the run: the conversation accepts the next message. The event `done` may still be unsent.

        `message`: the last one of the model, which makes no calls; whole if the run is completed, else it was
        interrupted. `model`: the one that answered last. `spent`: by this message, or by requests that ended without
        one. Returns the usage of the whole run.
        """
        texts = [] if message is None else [message]
        row = await self._write(
            *_FINISH(
                **_held(run),
                **_items(message.seq if message else 0, message.items if message else []),
                **_usage(spent),
                status=status,
                error=None if error is None else error.model_dump(),
                finish_reason=finish_reason,
                message_ids=[part.message_id for part in texts],
                parent_ids=[part.parent_id for part in texts],
                texts=[part.text for part in texts],
                model=model,
            )
        )
        return Usage(**row)

    async def close(self, run: ClaimedRun, last: EventId) -> None:
        """The event `done`, the `last`, is in the log: no worker has anything left to do for this run."""
        await self._write(*_CLOSE(**_held(run), last_attempt=last.attempt, last_number=last.number))

    async def _write(self, statement: str, *values: Any) -> dict[str, Any]:
        row = await with_retry(lambda: self.pool.fetchrow(statement, *values))
        if row is None:
            raise LeaseLost
        return dict(row)


def _held(run: ClaimedRun) -> dict[str, Any]:
    return {"run_id": run.id, "user_id": run.user_id, "attempt": run.attempt}


def _items(seq: int, items: list[Any]) -> dict[str, Any]:
    return {"seq": seq, "items": [json_text(item) for item in items]}


def _usage(by_model: Mapping[str, Usage]) -> dict[str, Any]:
    spent = by_model.values()
    return {
        "models": list(by_model),
        "input_tokens": [usage.input_tokens for usage in spent],
        "output_tokens": [usage.output_tokens for usage in spent],
        "requests": [usage.requests for usage in spent],
        "costs": [usage.cost for usage in spent],
        "currencies": [usage.currency for usage in spent],
    }
