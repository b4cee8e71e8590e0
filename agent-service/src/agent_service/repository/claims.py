"""Claims: which worker may work on a run, and until when, and whose run is next.

The database is the queue of runs; the work queue on the broker only tells the workers that there is something to claim.

Invariant: of all claims of a run only the newest may write. The first may be made with the run itself
(`RunRepository.start`), of which nobody has heard before. Any other is one UPDATE that requires the lease to be free or
expired and increments `attempt`; PostgreSQL's row lock makes concurrent claims wait for each other, and the second one
then sees a lease in the future. So no two claims get the same attempt number. Every later write names its attempt
(see `progress`): it is the fencing token, and a worker that lost its lease, whatever it still does, changes nothing.

Fair order: next is the run whose user has the fewest under way, each queued run counting for those behind it; of those
users, the one whose turn was longest ago. So what is claimed at once is taken in turns of the users, and a newcomer
comes before the second run of everybody else, however many others have queued.

Dynamic threshold: a user gets another place of a worker only while more places are free than the user has. So one user
gets half of them at most, the next one half of the rest, and the last place goes to somebody who has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from asyncpg.pool import Pool

from agent_service.repository.claimed_run import ClaimedRun, Terms
from agent_service.repository.runs import COLUMNS, shared_fields

_NEEDS_WORKER = "runs.done_at IS NULL AND runs.status <> 'waiting'"
_FREE = "(runs.lease_until IS NULL OR runs.lease_until < now())"
_CLAIM = """
  UPDATE runs SET attempt = attempt + 1, claimed_at = now(), lease_until = now() + {lease},
    model = CASE WHEN runs.model = ANY({models}::text[]) THEN runs.model ELSE {model} END, mode = {mode},
    status = CASE WHEN status = 'queued' THEN 'running' ELSE status END
"""
_CLAIMED = f"""
  {COLUMNS}, username, message_id::text, note_id::text, cancel_requested, finish_reason, runs.effort,
  instructions, user_instructions, approval, allowed_tools, greatest(attempt - resume_attempt, 0) AS crashes
"""
_OVERDUE = "attempt = 1 AND runs.created_at < now() - {timeout}::interval AS overdue"


@dataclass(frozen=True)
class Claimed:
    """`are_more_queued`: there were others, for which the worker has no place, or which it is just letting go of: a run
    whose decision came while it was being paused can be claimed before its task has ended."""

    runs: list[ClaimedRun]
    are_more_queued: bool


class ClaimRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def claim_next(
        self, free: int, here: Mapping[str, int], running: Sequence[str], terms: Terms, start_timeout: timedelta
    ) -> Claimed:
        """Claims the next runs, `free` at most. `here`: how many runs of each user this worker
        has; `running`: the ids of its runs, none of which it claims again."""
        rows = await self.pool.fetch(
            f"""
            WITH unfinished AS MATERIALIZED (
              SELECT id, user_id, created_at, lease_until IS NOT NULL AND lease_until >= now() AS is_held
              FROM runs WHERE {_NEEDS_WORKER}
            ), last_turns AS (
              SELECT user_id, (SELECT max(claimed_at) FROM runs WHERE runs.user_id = queueing.user_id) AS last_turn
              FROM (SELECT DISTINCT user_id FROM unfinished WHERE NOT is_held) AS queueing
            ), in_order AS (
              SELECT id, user_id, position,
                row_number() OVER (ORDER BY under_way + position, last_turn NULLS FIRST, created_at, id) AS turn
              FROM (
                SELECT id, user_id, created_at, is_held,
                  count(*) FILTER (WHERE is_held) OVER (PARTITION BY user_id) AS under_way,
                  row_number() OVER (PARTITION BY user_id, is_held ORDER BY created_at, id) AS position
                FROM unfinished
              ) AS counted JOIN last_turns USING (user_id) WHERE NOT is_held AND id <> ALL($2::uuid[])
            ), next AS (
              SELECT runs.id FROM in_order JOIN runs USING (id)
              LEFT JOIN unnest($3::uuid[], $4::integer[]) AS here (user_id, runs) ON here.user_id = in_order.user_id
              WHERE coalesce(here.runs, 0) + position - 1 < $1 - (turn - 1) AND {_NEEDS_WORKER} AND {_FREE}
              ORDER BY turn FOR UPDATE OF runs SKIP LOCKED
            ), claimed AS (
              {_CLAIM.format(lease="$5", model="$6", mode="$7", models="$9")}
              FROM conversations, next WHERE runs.id = next.id AND conversations.id = conversation_id
              RETURNING {_CLAIMED}, {_OVERDUE.format(timeout="$8")}
            )
            SELECT claimed.*, queued
            FROM (SELECT count(*) AS queued FROM unfinished WHERE NOT is_held) AS counted LEFT JOIN claimed ON true
            """,  # noqa: S608
            *(
                free,
                list(running),
                list(here),
                list(here.values()),
                terms.lease,
                terms.model,
                terms.mode,
                start_timeout,
                terms.models,
            ),
        )
        runs = [_claimed(row) for row in rows if row["id"] is not None]
        return Claimed(runs, rows[0]["queued"] > len(runs))

    async def claim(self, user_id: str, run_id: str, terms: Terms, start_timeout: timedelta) -> ClaimedRun | None:
        """Claims a run that no worker holds. None if one does, or if the run is over or waits.

        `overdue`: it has waited for its first worker for more than `start_timeout`.
        """
        row = await self.pool.fetchrow(
            f"""
            {_CLAIM.format(lease="$3", model="$5", mode="$6", models="$7")}
            FROM conversations WHERE runs.id = $1 AND runs.user_id = $2 AND conversations.id = conversation_id
              AND {_NEEDS_WORKER} AND {_FREE}
            RETURNING {_CLAIMED}, {_OVERDUE.format(timeout="$4")}
            """,
            *(run_id, user_id, terms.lease, start_timeout, terms.model, terms.mode, terms.models),
        )
        return None if row is None else _claimed(row)

    async def renew(self, attempts: dict[str, int], lease: timedelta) -> dict[str, bool]:
        """Renews the leases of runs (attempts by id) for another `lease`, but not of released ones. Returns
        those still held, each with whether its user has cancelled it."""
        rows = await self.pool.fetch(
            """
            UPDATE runs SET lease_until = now() + $3 FROM unnest($1::uuid[], $2::integer[]) AS held (id, attempt)
            WHERE runs.id = held.id AND runs.attempt = held.attempt AND lease_until IS NOT NULL
            RETURNING runs.id::text, cancel_requested
            """,
            *(list(attempts), list(attempts.values()), lease),
        )
        return {row["id"]: row["cancel_requested"] for row in rows}

    async def release(self, run_id: str, attempt: int, *, delay: float | None) -> None:
        """Ends the lease: any worker can claim the run at once, or after `delay` seconds."""
        await self.pool.execute(
            "UPDATE runs SET lease_until = now() + $3 WHERE id = $1 AND attempt = $2",
            *(run_id, attempt, None if delay is None else timedelta(seconds=delay)),
        )


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
        effort=row["effort"],
    )
