"""The messages of a conversation form a tree: an edited message, or another answer, is another child of the same
parent. The current branch is the path from the root to the conversation's `head`."""

from dataclasses import dataclass

from asyncpg.pool import Pool

from agent_service.repository.runs import Fork
from contracts.errors import NotFound, RunActive


@dataclass(frozen=True)
class BranchPoint:
    """A message from which a branch can begin. `question_id`, `question_text`: the user's message that its run answers
    (the message itself if it is the user's); `note_id`: the note that was open then."""

    parent_id: str | None
    role: str
    question_id: str
    question_text: str
    note_id: str | None


class BranchRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def point(self, user_id: str, conversation_id: str, message_id: str) -> BranchPoint:
        """Raises `NotFound`."""
        row = await self.pool.fetchrow(
            """
            SELECT message.parent_id::text, message.role, question.id::text AS question_id,
              question.text AS question_text, runs.note_id::text
            FROM messages AS message JOIN runs ON runs.id = message.run_id
              JOIN messages AS question
                ON question.id = CASE WHEN message.role = 'user' THEN message.id ELSE runs.message_id END
              JOIN conversations ON conversations.id = message.conversation_id
            WHERE message.id = $3 AND message.conversation_id = $2 AND message.user_id = $1 AND deleted_at IS NULL
            """,
            *(user_id, conversation_id, message_id),
        )
        if row is None:
            raise NotFound
        return BranchPoint(**dict(row))

    async def replaced_runs(self, user_id: str, conversation_id: str, fork: Fork) -> list[str]:
        """The runs after the point at which a branch begins, on all branches, newest first, without undone ones. Raises
        `RunActive` while the conversation has an unfinished run."""
        rows = await self.pool.fetch(
            """
            WITH RECURSIVE after AS (
              SELECT id, role, run_id FROM messages WHERE conversation_id = $2 AND user_id = $1
                AND CASE WHEN $4::uuid IS NOT NULL THEN id = $4 ELSE parent_id IS NOT DISTINCT FROM $3::uuid END
              UNION ALL
              SELECT messages.id, messages.role, messages.run_id FROM after
                JOIN messages ON messages.parent_id = after.id AND messages.user_id = $1
            )
            SELECT runs.id::text, runs.finished_at IS NULL AS is_active, undone_at IS NOT NULL AS is_undone
            FROM runs WHERE user_id = $1 AND conversation_id = $2
              AND (finished_at IS NULL OR message_id IN (SELECT id FROM after WHERE role = 'user'))
            ORDER BY created_at DESC, id DESC
            """,
            *(user_id, conversation_id, fork.parent_id, fork.question_id),
        )
        for row in rows:
            if row["is_active"]:
                raise RunActive(run_id=row["id"])
        return [row["id"] for row in rows if not row["is_undone"]]

    async def switch(self, user_id: str, conversation_id: str, message_id: str) -> None:
        """Makes the newest branch with this message the current one. Raises `NotFound`."""
        moved = await self.pool.fetchval(
            """
            WITH RECURSIVE down AS (
              SELECT id, 0 AS depth FROM messages WHERE id = $3 AND conversation_id = $2 AND user_id = $1
              UNION ALL
              SELECT newest.id, depth + 1 FROM down CROSS JOIN LATERAL (
                SELECT id FROM messages WHERE parent_id = down.id AND user_id = $1 ORDER BY seq DESC LIMIT 1) AS newest
            )
            UPDATE conversations SET head = (SELECT id FROM down ORDER BY depth DESC LIMIT 1)
            WHERE id = $2 AND user_id = $1 AND deleted_at IS NULL AND EXISTS (SELECT FROM down) RETURNING id
            """,
            *(user_id, conversation_id, message_id),
        )
        if moved is None:
            raise NotFound
