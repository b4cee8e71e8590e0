"""Attempts wait longer and longer instead of being refused for a while; the key that device cookies are signed with."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM attempts")
    op.execute("ALTER TABLE attempts ADD COLUMN blocked_until timestamptz NOT NULL")
    op.execute("CREATE TABLE secrets (name text PRIMARY KEY, value bytea NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE secrets")
    op.execute("ALTER TABLE attempts DROP COLUMN blocked_until")
