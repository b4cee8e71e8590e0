"""Which note links to which title. Migration 0009 fills the table, with the notes that there are."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLE = """
CREATE TABLE note_links (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    target text COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, target, id),
    FOREIGN KEY (user_id, id) REFERENCES notes ON DELETE CASCADE
)
"""
INDEX = "CREATE INDEX ON note_links (user_id, id)"


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(INDEX)
