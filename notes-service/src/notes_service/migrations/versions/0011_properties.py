"""What the front matter of a note has beside its title, tags and dates."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = [
    # `json` keeps the order of the names, which `jsonb` does not. `aliases`: derived from the properties, for lists.
    """
    ALTER TABLE notes
        ADD COLUMN properties json NOT NULL DEFAULT '{}',
        ADD COLUMN aliases text[] NOT NULL DEFAULT '{}'
    """,
    "ALTER TABLE revisions ADD COLUMN properties json NOT NULL DEFAULT '{}'",
    # The front matter of an imported note as its file has it: a hint for its export, bounded by the number of notes.
    """
    CREATE TABLE note_files (
        user_id uuid NOT NULL,
        note_id uuid NOT NULL,
        front_matter text NOT NULL,
        PRIMARY KEY (user_id, note_id),
        FOREIGN KEY (user_id, note_id) REFERENCES notes ON DELETE CASCADE
    )
    """,
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
