"""The events of runs that wait for approval: a wait may be longer than the retention of the stream."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `data` is JSON, as text: it goes out again byte for byte
    """
    CREATE TABLE kept_events (
      run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
      seq integer NOT NULL,
      user_id uuid NOT NULL,
      attempt integer NOT NULL,
      event text NOT NULL,
      data text NOT NULL,
      PRIMARY KEY (run_id, seq)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
