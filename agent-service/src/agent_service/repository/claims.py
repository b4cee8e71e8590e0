"""Runs as workers have them: taken for a while, kept, and let go of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from asyncpg.pool import Pool

from agent_service.repository.runs import COLUMNS, shared
from contracts.chat import ApprovalPolicy, Mode, RunError, RunStatus
from contracts.run_events import Usage


@dataclass(frozen=True)
class ClaimedRun:
    """A run and the right to write for it: `attempt`. `message_id`: the user's message it answers. `instructions`: of
    the conversation; `user_instructions`: of all. `crashes`: workers that died over it since it began or a person last
    decided. `allowed_tools`: those that need no word in this conversation."""

    id: str
    user_id: str
    username: str
    conversation_id: str
    message_id: str
    note_id: str | None
    status: RunStatus
    attempt: int
    last_event_id: int
    created_at: datetime
    cancel_requested: bool
    overdue: bool
    instructions: str
    user_instructions: str
    approval: ApprovalPolicy
    allowed_tools: list[str]
    crashes: int
    usage: Usage
    error: RunError | None
    finish_reason: str | None


class ClaimRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def claim(
        self, user_id: str, run_id: str, *, lease: float, patience: float, model: str, mode: Mode
    ) -> ClaimedRun | None:
        """Takes a run that nobody works on, for `lease` seconds; None where somebody does, or it is over.

        `overdue`: it has waited for its first worker for more than `patience` seconds.
        """
        row = await self.pool.fetchrow(
            f"""
            UPDATE runs SET attempt = attempt + 1, lease_until = now() + $3, model = $5, mode = $6,
              status = CASE WHEN status = 'queued' THEN 'running' ELSE status END
            FROM conversations WHERE runs.id = $1 AND runs.user_id = $2 AND conversations.id = conversation_id
              AND done_at IS NULL AND status <> 'waiting' AND (lease_until IS NULL OR lease_until < now())
            RETURNING {COLUMNS}, username, message_id::text, note_id::text, cancel_requested, finish_reason,
              instructions, user_instructions, approval, allowed_tools,
              greatest(attempt - resume_attempt, 0) AS crashes,
              attempt = 1 AND runs.created_at < now() - $4::interval AS overdue
            """,  # noqa: S608
            *(run_id, user_id, timedelta(seconds=lease), timedelta(seconds=patience), model, mode),
        )
        return None if row is None else _claimed(row)

    async def beat(self, attempts: dict[str, int], *, lease: float) -> dict[str, bool]:
        """Keeps runs (by id, with the attempt) for another `lease` seconds, but none that was let go of. Answers which
        of them are still ours, and whether their user asked to cancel them."""
        rows = await self.pool.fetch(
            """
            UPDATE runs SET lease_until = now() + $3 FROM unnest($1::uuid[], $2::integer[]) AS mine (id, attempt)
            WHERE runs.id = mine.id AND runs.attempt = mine.attempt AND lease_until IS NOT NULL
            RETURNING runs.id::text, cancel_requested
            """,
            *(list(attempts), list(attempts.values()), timedelta(seconds=lease)),
        )
        return {row["id"]: row["cancel_requested"] for row in rows}

    async def release(self, run_id: str, attempt: int) -> None:
        """Lets another worker have the run at once."""
        await self.pool.execute("UPDATE runs SET lease_until = NULL WHERE id = $1 AND attempt = $2", run_id, attempt)


def _claimed(row: Any) -> ClaimedRun:
    names: tuple[Literal["user_id", "username", "message_id", "note_id", "created_at"], ...]
    names = ("user_id", "username", "message_id", "note_id", "created_at")
    return ClaimedRun(
        **shared(row),
        **{name: row[name] for name in names},
        cancel_requested=row["cancel_requested"],
        overdue=row["overdue"],
        instructions=row["instructions"],
        user_instructions=row["user_instructions"],
        approval=row["approval"],
        allowed_tools=row["allowed_tools"],
        crashes=row["crashes"],
        finish_reason=row["finish_reason"],
    )
