"""Limits on the runs of one user: how many at a time, how many in an hour."""

import math
from typing import Any

from contracts.errors import RateLimited

RETRY_AFTER_SECONDS = 5
"""Sent at the limit of concurrent runs: when one of them ends is unknown."""
TOO_MANY = "The assistant is already working on the maximum number of answers for you. Wait until one is done."
TOO_OFTEN = "You have reached the limit of answers per hour."


class RunLimitRepository:
    """`concurrent`: unfinished runs, those that wait for approval not counted. `per_hour`: runs started in any hour."""

    def __init__(self, concurrent: int, per_hour: int) -> None:
        self.concurrent = concurrent
        self.per_hour = per_hour

    async def check(self, connection: Any, user_id: str) -> None:
        """Raises `RateLimited` if the user may not start another run now.

        Must come first in the transaction that starts the run. The advisory lock is held until that transaction ends,
        so of one user's starts, on whichever replica, each sees the runs of those before it: the limits hold exactly.
        """
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('answers ' || $1, 0))", user_id)
        row = await connection.fetchrow(
            """
            SELECT
              (SELECT count(*) FROM runs WHERE user_id = $1 AND status IN ('queued', 'running')) AS active,
              (SELECT extract(epoch FROM created_at + interval '1 hour' - now())::float8 FROM runs
               WHERE user_id = $1 AND created_at > now() - interval '1 hour'
               ORDER BY created_at DESC OFFSET $2 LIMIT 1) AS full_for
            """,
            *(user_id, self.per_hour - 1),
        )
        if row["full_for"] is not None:
            raise RateLimited(TOO_OFTEN, retry_after=max(1, math.ceil(row["full_for"])))
        if row["active"] >= self.concurrent:
            raise RateLimited(TOO_MANY, retry_after=RETRY_AFTER_SECONDS)
