"""How many answers a user may ask for."""

import math
from typing import Any

from contracts.errors import RateLimited

SOON_SECONDS = 5
TOO_MANY = "The assistant is working on as many answers for you as it may: wait until one has ended."
TOO_OFTEN = "You have asked for as many answers as one may in an hour."


class AllowanceRepository:
    """`at_once`: unfinished answers, those that wait for the user not counted. `per_hour`: begun within any hour."""

    def __init__(self, at_once: int, per_hour: int) -> None:
        self.at_once = at_once
        self.per_hour = per_hour

    async def take(self, connection: Any, user_id: str) -> None:
        """Comes first in the transaction that begins an answer. Other answers of this user, whichever replica begins
        them, wait for its end. Raises `RateLimited` where the user may not begin another now."""
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
        if row["active"] >= self.at_once:
            raise RateLimited(TOO_MANY, retry_after=SOON_SECONDS)
