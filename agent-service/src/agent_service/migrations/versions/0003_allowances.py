"""Counting a user's runs, quickly."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX runs_by_user ON runs (user_id, created_at)",
    "CREATE INDEX runs_active_by_user ON runs (user_id) WHERE status IN ('queued', 'running')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
