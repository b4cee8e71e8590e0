"""Claims: which worker may work on a run, and until when.

Invariant: of all claims of a run only the newest may write. A claim is one UPDATE that requires the lease to be free or
expired and increments `attempt`; PostgreSQL's row lock makes concurrent claims wait for each other, and the second one
then sees a lease in the future. So no two claims get the same attempt number. Every later write names its attempt
(see `progress`): it is the fencing token, and a worker that lost its lease, whatever it still does, changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from asyncpg.pool import Pool

from agent_service.repository.runs import COLUMNS, shared_fields
from contracts.chat import ApprovalPolicy, Mode, RunError, RunStatus
from contracts.run_events import Usage


@dataclass(frozen=True)
class ClaimedRun:
    """A run and the right to write for it: `attempt`. `message_id`: the user's message that it answers. `instructions`:
    those of the conversation; `user_instructions`: the user's for all conversations. `crashes`: claims that ended
    without a result since the run was created or last waited. `allowed_tools`: those that require no approval in this
    conversation."""

    id: str
    user_id: str
    username: str
    conversation_id: str
    message_id: str
    note_id: str | None
    status: RunStatus
    attempt: int
    last_event_id: str
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
        self, user_id: str, run_id: str, *, lease: float, start_timeout: float, model: str, mode: Mode
    ) -> ClaimedRun | None:
        """Claims a run that no worker holds, for `lease` seconds. None if one does, or if the run is over or waits.

        `overdue`: it has waited for its first worker for more than `start_timeout` seconds.
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
            *(run_id, user_id, timedelta(seconds=lease), timedelta(seconds=start_timeout), model, mode),
        )
        return None if row is None else _claimed(row)

    async def renew(self, attempts: dict[str, int], *, lease: float) -> dict[str, bool]:
        """Renews the leases of runs (attempts by id) for another `lease` seconds, but not of released ones. Returns
        those still held, each with whether its user has cancelled it."""
        rows = await self.pool.fetch(
            """
            UPDATE runs SET lease_until = now() + $3 FROM unnest($1::uuid[], $2::integer[]) AS held (id, attempt)
            WHERE runs.id = held.id AND runs.attempt = held.attempt AND lease_until IS NOT NULL
            RETURNING runs.id::text, cancel_requested
            """,
            *(list(attempts), list(attempts.values()), timedelta(seconds=lease)),
        )
        return {row["id"]: row["cancel_requested"] for row in rows}

    async def release(self, run_id: str, attempt: int) -> None:
        """Ends the lease: another worker can claim the run at once."""
        await self.pool.execute("UPDATE runs SET lease_until = NULL WHERE id = $1 AND attempt = $2", run_id, attempt)


def _claimed(row: Any) -> ClaimedRun:
    names: tuple[Literal["user_id", "username", "message_id", "note_id", "created_at"], ...]
    names = ("user_id", "username", "message_id", "note_id", "created_at")
    return ClaimedRun(
        **shared_fields(row),
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
