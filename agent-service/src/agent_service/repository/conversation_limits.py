"""Limits on the conversations of one user: how many, and how much text their titles and instructions are. What is said
in them is limited by the runs in an hour."""

from dataclasses import dataclass
from typing import Any

from contracts.errors import QuotaExceeded

TOO_LONG = "There is no room for more instructions: shorten or delete those of other conversations."


@dataclass(frozen=True)
class ConversationLimits:
    conversations: int
    instructions_bytes: int

    async def check(self, connection: Any, user_id: str, instructions: str, *, new_conversation: bool) -> None:
        """Raises `QuotaExceeded` if there is no room for another conversation or for these instructions. Must come
        first in the transaction that writes them."""
        await lock_user(connection, user_id)
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


async def lock_user(connection: Any, user_id: str) -> None:
    """Until the transaction ends, nothing else of this user is started or counted, on whichever replica: so each sees
    what was written before it, and the limits hold exactly."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('answers ' || $1, 0))", user_id)


def check_count(conversations: int, limit: int) -> None:
    """Raises `QuotaExceeded` if there is no room for one more."""
    if conversations >= limit:
        raise QuotaExceeded(f"You have {conversations:,} conversations, and there is no room for more: delete some.")
