"""Summaries of what a model is no longer sent of a conversation, and what it takes to read one in parts.

A summary belongs to the last message that it covers, and so to every branch that goes on from there. `left_out_until`:
the last message that the run's model was sent neither itself nor in a summary.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE summaries (
      message_id uuid PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
      conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
      user_id uuid NOT NULL,
      text text NOT NULL,
      model text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      edited_at timestamptz
    )
    """,
    "CREATE INDEX summaries_by_conversation ON summaries (conversation_id)",
    "ALTER TABLE runs ADD COLUMN left_out_until uuid",
    "CREATE INDEX session_items_by_run ON session_items (run_id, seq)",
    "CREATE INDEX messages_without_parent ON messages (conversation_id) WHERE parent_id IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
