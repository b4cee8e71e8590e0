"""Users, their sessions, and the counters that limit guessing."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE users (
            id uuid PRIMARY KEY,
            username text NOT NULL,
            password_hash text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX users_username ON users (lower(username))")
    op.execute(
        """
        CREATE TABLE sessions (
            token_hash bytea PRIMARY KEY,
            id uuid NOT NULL,
            user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
            created_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX sessions_user ON sessions (user_id)")
    op.execute("CREATE INDEX sessions_expiry ON sessions (expires_at)")
    op.execute(
        """
        CREATE UNLOGGED TABLE attempts (
            key text PRIMARY KEY,
            count integer NOT NULL,
            resets_at timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE attempts, sessions, users")
