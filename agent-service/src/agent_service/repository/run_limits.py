"""Limits on the runs of one user: how many at a time, how many in an hour, in how many conversations."""

import math
from collections.abc import Mapping
from typing import Any

from asyncpg.pool import Pool

from agent_service.repository.conversation_limits import check_count
from contracts.errors import RateLimited
from servicekit.sql import Statement

RETRY_AFTER_SECONDS = 5
"""Sent at the limit of concurrent runs: when one of them ends is unknown."""
TOO_MANY = "The assistant is already working on the maximum number of answers for you. Wait until one is done."
TOO_OFTEN = "You have reached the limit of answers per hour."

LIMITS = """
  counted AS (
    SELECT
      (SELECT count(*) FROM runs WHERE user_id = :user_id AND status IN ('queued', 'running')) AS active,
      (SELECT extract(epoch FROM created_at + interval '1 hour' - now())::float8 FROM runs
       WHERE user_id = :user_id AND created_at > now() - interval '1 hour'
       ORDER BY created_at DESC OFFSET :per_hour - 1 LIMIT 1) AS full_for,
      (SELECT count(*) FROM conversations
       WHERE :new_conversation AND user_id = :user_id AND deleted_at IS NULL) AS conversations
  ), allowed AS (
    SELECT FROM counted WHERE full_for IS NULL AND active < :concurrent
      AND NOT (:new_conversation AND conversations >= :most_conversations)
  )
"""
"""Parts of the statement that starts a run, for `RunLimitRepository.check`: `allowed` has a row if it may be started.
Correct in a transaction of `for_user` only."""


COUNTED = Statement(f"WITH {LIMITS} SELECT * FROM counted")  # noqa: S608


class RunLimitRepository:
    """`concurrent`: unfinished runs, those that wait for approval not counted. `per_hour`: runs started in any hour.
    `conversations`: those that are not deleted, when a run begins another one."""

    def __init__(self, concurrent: int, per_hour: int, conversations: int) -> None:
        self.concurrent = concurrent
        self.per_hour = per_hour
        self.conversations = conversations

    @property
    def values(self) -> dict[str, int]:
        """The values of `LIMITS`."""
        return {"concurrent": self.concurrent, "per_hour": self.per_hour, "most_conversations": self.conversations}

    async def check_another(self, pool: Pool, user_id: str) -> None:
        """Raises `RateLimited` if the user could not start another run in a conversation now. What is done before the
        run begins, and could not be taken back, is done after this."""
        values = {"user_id": user_id, "new_conversation": False}
        counted: Any = await pool.fetchrow(*COUNTED(**values, **self.values))
        self.check(counted, new_conversation=False)

    def check(self, counted: Mapping[str, Any], *, new_conversation: bool) -> None:
        """Raises `RateLimited` if the user may not start another run now, `QuotaExceeded` if there is no room for
        another conversation. `counted`: the row of `LIMITS`."""
        if counted["full_for"] is not None:
            raise RateLimited(TOO_OFTEN, retry_after=max(1, math.ceil(counted["full_for"])))
        if counted["active"] >= self.concurrent:
            raise RateLimited(TOO_MANY, retry_after=RETRY_AFTER_SECONDS)
        if new_conversation:
            check_count(counted["conversations"], self.conversations)
