"""What an import left out of the files that it took, and whether a file that it did not take could have been a note."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE import_errors ADD COLUMN kind text NOT NULL DEFAULT 'refused'")
