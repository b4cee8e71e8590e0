"""Calls that wait for a person, and what the user set when the run began."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `resume_attempt`: the newest attempt that no crash made necessary. It is the first one, or goes on after a person
    """
    ALTER TABLE runs
      ADD COLUMN approval text NOT NULL DEFAULT 'destructive' CHECK (approval IN ('always', 'destructive', 'never')),
      ADD COLUMN user_instructions text NOT NULL DEFAULT '',
      ADD COLUMN resume_attempt integer NOT NULL DEFAULT 1
    """,
    "ALTER TABLE conversations ADD COLUMN allowed_tools text[] NOT NULL DEFAULT '{}'",
    # `approval` NULL: the call requires no approval
    """
    ALTER TABLE tool_calls
      ADD COLUMN approval text CHECK (approval IN ('pending', 'approved', 'denied')),
      ADD COLUMN denied_because text,
      ADD COLUMN decided_by text
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
