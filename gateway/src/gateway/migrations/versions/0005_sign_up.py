"""The first account, which may be created where sign-up is closed; what a session was begun with."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN is_first boolean NOT NULL DEFAULT false")
    op.execute("UPDATE users SET is_first = true WHERE id = (SELECT id FROM users ORDER BY created_at, id LIMIT 1)")
    op.execute("CREATE UNIQUE INDEX users_first ON users (is_first) WHERE is_first")
    op.execute("ALTER TABLE sessions ADD COLUMN user_agent text NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE sessions DROP COLUMN user_agent")
    op.execute("ALTER TABLE users DROP COLUMN is_first")
