"""Tool calls that wait for approval: letting the run wait, and storing the decisions.

Invariant: a run with a decided call that was not made, or with a cancellation, is never `waiting`, so a worker will
take it. `wait` and `decide` both lock the run's row first: a decision is either committed before `wait` looks for one,
and then the run keeps running, or `decide` comes after and sets the run to `running` itself.
"""

from typing import Any

from asyncpg.pool import Pool

from agent_service.errors import LeaseLost
from agent_service.repository.claimed_run import ClaimedRun
from agent_service.repository.retry import with_retry
from agent_service.repository.values import parsed_or_text
from contracts.actor import ActorKind
from contracts.chat import Decision
from contracts.errors import NotFound, ValidationFailed
from contracts.run_events import CallWaiting, EventId

DECIDED_BUT_NOT_MADE = """
  EXISTS (SELECT FROM tool_calls WHERE tool_calls.run_id = $1 AND tool_calls.user_id = $2
    AND approval <> 'pending' AND status = 'running')
"""


class ApprovalRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def wait(self, run: ClaimedRun, last: EventId) -> bool:
        """Ends the lease of a run whose calls wait for approval, after the event `last`. False if a worker must
        continue it at once, because of an earlier decision or a cancellation. Raises `LeaseLost` if the attempt is
        over."""
        return await with_retry(lambda: self._wait(run, last))

    async def _wait(self, run: ClaimedRun, last: EventId) -> bool:
        async with self.pool.acquire() as connection, connection.transaction():
            attempt = await connection.fetchval(
                """
                SELECT attempt FROM runs WHERE id = $1 AND user_id = $2 AND attempt = $3 AND finished_at IS NULL
                FOR UPDATE
                """,
                *(run.id, run.user_id, run.attempt),
            )
            if attempt is None:
                raise LeaseLost
            return await connection.fetchval(
                f"""
                UPDATE runs SET lease_until = NULL, last_event_attempt = $3, last_event_id = $4,
                  resume_attempt = attempt + 1,
                  status = CASE WHEN cancel_requested OR {DECIDED_BUT_NOT_MADE} THEN 'running' ELSE 'waiting' END
                WHERE id = $1 AND user_id = $2 RETURNING status = 'waiting'
                """,  # noqa: S608
                *(run.id, run.user_id, last.attempt, last.number),
            )

    async def decide(self, user_id: str, run_id: str, decisions: list[Decision], by: ActorKind) -> None:
        """Stores all of the decisions or none, and continues the run. Raises `NotFound` and `ValidationFailed`."""
        async with self.pool.acquire() as connection, connection.transaction():
            found = await connection.fetchval(
                "SELECT id FROM runs WHERE id = $1 AND user_id = $2 FOR UPDATE", run_id, user_id
            )
            if found is None:
                raise NotFound
            await self._check(connection, user_id, run_id, decisions)
            await connection.execute(
                """
                UPDATE tool_calls SET approval = CASE WHEN new.approve THEN 'approved' ELSE 'denied' END,
                  denied_because = CASE WHEN NOT new.approve THEN new.reason END, decided_by = $6
                FROM unnest($3::text[], $4::boolean[], $5::text[]) AS new (call_id, approve, reason)
                WHERE run_id = $1 AND user_id = $2 AND tool_calls.call_id = new.call_id
                """,
                *(run_id, user_id),
                [decision.call_id for decision in decisions],
                [decision.approve for decision in decisions],
                [decision.reason for decision in decisions],
                by,
            )
            await self._allow(connection, user_id, run_id, decisions, by)
            await connection.execute(
                """
                UPDATE runs SET status = 'running' WHERE id = $1 AND user_id = $2 AND status = 'waiting'
                """,
                *(run_id, user_id),
            )

    async def pending(self, user_id: str, run_id: str) -> list[CallWaiting]:
        """The calls of an unfinished run that wait for a decision."""
        rows = await self.pool.fetch(
            """
            SELECT call_id, name, arguments FROM tool_calls
            WHERE run_id = $1 AND user_id = $2 AND approval = 'pending' AND status = 'running' ORDER BY seq
            """,
            *(run_id, user_id),
        )
        return [
            CallWaiting(call_id=row["call_id"], name=row["name"], arguments=parsed_or_text(row["arguments"]))
            for row in rows
        ]

    async def _check(self, connection: Any, user_id: str, run_id: str, decisions: list[Decision]) -> None:
        rows = await connection.fetch(
            """
            SELECT call_id, tool_calls.approval = 'pending' AND finished_at IS NULL AS waits
            FROM tool_calls JOIN runs ON runs.id = run_id
            WHERE run_id = $1 AND tool_calls.user_id = $2 AND call_id = ANY($3)
            """,
            *(run_id, user_id, [decision.call_id for decision in decisions]),
        )
        waits: dict[str, bool] = {row["call_id"]: bool(row["waits"]) for row in rows}
        errors: list[dict[str, Any]] = []
        for index, decision in enumerate(decisions):
            if decision.call_id not in waits:
                raise NotFound(f"There is no call {decision.call_id!r} in this answer.")
            if not waits[decision.call_id]:
                errors.append({"field": f"decisions.{index}.call_id", "message": "This call waits for no decision"})
            waits[decision.call_id] = False  # a second decision on the same call
        if errors:
            raise ValidationFailed(errors=errors)

    async def _allow(
        self, connection: Any, user_id: str, run_id: str, decisions: list[Decision], by: ActorKind
    ) -> None:
        """Stores which tools require no approval any more in this conversation; approves their pending calls, too."""
        remembered = [decision.call_id for decision in decisions if decision.approve and decision.remember]
        if not remembered:
            return
        await connection.execute(
            """
            UPDATE conversations SET allowed_tools = ARRAY(
              SELECT unnest(allowed_tools) UNION
              SELECT name FROM tool_calls WHERE run_id = $1 AND user_id = $2 AND call_id = ANY($3))
            WHERE user_id = $2 AND id = (SELECT conversation_id FROM runs WHERE id = $1 AND user_id = $2)
            """,
            *(run_id, user_id, remembered),
        )
        await connection.execute(
            """
            UPDATE tool_calls SET approval = 'approved', decided_by = $4
            WHERE run_id = $1 AND user_id = $2 AND approval = 'pending' AND status = 'running' AND name IN (
              SELECT name FROM tool_calls WHERE run_id = $1 AND user_id = $2 AND call_id = ANY($3))
            """,
            *(run_id, user_id, remembered, by),
        )
