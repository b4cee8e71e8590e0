"""What users set for themselves."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE preferences (
            user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
            approval text NOT NULL,
            instructions text NOT NULL,
            theme text NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE preferences")
