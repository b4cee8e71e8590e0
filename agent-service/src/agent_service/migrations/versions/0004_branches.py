"""The present branch of a conversation."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    # the last message of the branch; the others are its ancestors
    "ALTER TABLE conversations ADD COLUMN head uuid",
    """
    UPDATE conversations SET head =
      (SELECT id FROM messages WHERE conversation_id = conversations.id ORDER BY seq DESC LIMIT 1)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
