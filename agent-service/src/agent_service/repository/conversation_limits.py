"""Limits on the conversations of one user: how many, and how much text their titles and instructions are. What is said
in them is limited by the runs in an hour."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from contracts.errors import QuotaExceeded
from servicekit.database_timeout import DATABASE_UNAVAILABLE

TOO_LONG = "There is no room for more instructions: shorten or delete those of other conversations."


@dataclass(frozen=True)
class ConversationLimits:
    conversations: int
    instructions_bytes: int

    async def check(self, connection: Any, user_id: str, instructions: str, *, new_conversation: bool) -> None:
        """Raises `QuotaExceeded` if there is no room for another conversation or for these instructions. Must come
        first in a transaction of `for_user` that writes them."""
        row = await connection.fetchrow(
            """
            SELECT count(*) AS count, coalesce(sum(octet_length(title) + octet_length(instructions)), 0) AS bytes
            FROM conversations WHERE user_id = $1 AND deleted_at IS NULL
            """,
            user_id,
        )
        if new_conversation:
            check_count(row["count"], self.conversations)
        if instructions and row["bytes"] + len(instructions.encode()) > self.instructions_bytes:
            raise QuotaExceeded(TOO_LONG)


@asynccontextmanager
async def for_user(connection: Any, user_id: str) -> AsyncGenerator[None]:
    """A transaction in which nothing else of this user is started or counted, on whichever replica: each sees what was
    written before it, so that the limits hold exactly.

    It begins and takes its lock in one round trip. The lock is a number, as a statement that consists of several takes
    no arguments. If beginning fails halfway, the pool rolls it back.
    """
    digest = hashlib.blake2b(f"answers {user_id}".encode(), digest_size=8).digest()
    lock = int.from_bytes(digest, "big", signed=True)
    await connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock({lock})")
    try:
        yield
    except BaseException:
        with suppress(*DATABASE_UNAVAILABLE):
            await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")


def check_count(conversations: int, limit: int) -> None:
    """Raises `QuotaExceeded` if there is no room for one more."""
    if conversations >= limit:
        raise QuotaExceeded(f"You have {conversations:,} conversations, and there is no room for more: delete some.")
