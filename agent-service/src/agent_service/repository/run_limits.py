"""Limits on the runs of one user: how many at a time, how many in an hour, in how many conversations."""

import math
from typing import Any

from agent_service.repository.conversation_limits import check_count, lock_user
from contracts.errors import RateLimited

RETRY_AFTER_SECONDS = 5
"""Sent at the limit of concurrent runs: when one of them ends is unknown."""
TOO_MANY = "The assistant is already working on the maximum number of answers for you. Wait until one is done."
TOO_OFTEN = "You have reached the limit of answers per hour."


class RunLimitRepository:
    """`concurrent`: unfinished runs, those that wait for approval not counted. `per_hour`: runs started in any hour.
    `conversations`: those that are not deleted, when a run begins another one."""

    def __init__(self, concurrent: int, per_hour: int, conversations: int) -> None:
        self.concurrent = concurrent
        self.per_hour = per_hour
        self.conversations = conversations

    async def check(self, connection: Any, user_id: str, *, new_conversation: bool) -> None:
        """Raises `RateLimited` if the user may not start another run now, `QuotaExceeded` if there is no room for
        another conversation. Must come first in the transaction that starts the run."""
        await lock_user(connection, user_id)
        row = await connection.fetchrow(
            """
            SELECT
              (SELECT count(*) FROM runs WHERE user_id = $1 AND status IN ('queued', 'running')) AS active,
              (SELECT extract(epoch FROM created_at + interval '1 hour' - now())::float8 FROM runs
               WHERE user_id = $1 AND created_at > now() - interval '1 hour'
               ORDER BY created_at DESC OFFSET $2 LIMIT 1) AS full_for,
              (SELECT count(*) FROM conversations WHERE $3 AND user_id = $1 AND deleted_at IS NULL) AS conversations
            """,
            *(user_id, self.per_hour - 1, new_conversation),
        )
        if row["full_for"] is not None:
            raise RateLimited(TOO_OFTEN, retry_after=max(1, math.ceil(row["full_for"])))
        if row["active"] >= self.concurrent:
            raise RateLimited(TOO_MANY, retry_after=RETRY_AFTER_SECONDS)
        if new_conversation:
            check_count(row["conversations"], self.conversations)
