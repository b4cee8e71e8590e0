"""The names by which links may call a note beside its title, and links of all forms in the notes that there are."""

import sqlalchemy
from alembic import op

from notes_service.links import link_keys
from servicekit.backfill import backfill

revision = "0009"
down_revision = "0008"

BATCH = 200

STATEMENTS = [
    # Of the file that the note was imported from, without its ending.
    "ALTER TABLE notes ADD COLUMN path text",
    """
    CREATE TABLE note_names (
        user_id uuid NOT NULL,
        id uuid NOT NULL,
        name text COLLATE "C" NOT NULL,
        is_alias boolean NOT NULL,
        PRIMARY KEY (user_id, name, id),
        FOREIGN KEY (user_id, id) REFERENCES notes ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ON note_names (user_id, id)",
    # Made again below: with the names that a link may mean, in which punctuation counts.
    "TRUNCATE note_links",
]

LINKING = (
    "SELECT user_id, id FROM notes WHERE strpos(body, '[[') > 0 OR strpos(body, '](') > 0 OR strpos(body, ']:') > 0"
)
BODIES = sqlalchemy.text("SELECT user_id, id, body FROM notes WHERE (user_id, id) IN :keys").bindparams(
    sqlalchemy.bindparam("keys", expanding=True)
)
KEEP = sqlalchemy.text("INSERT INTO note_links (user_id, id, target) VALUES (:user_id, :id, :target)")


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    db = op.get_bind()
    keys = [tuple(row) for row in db.execute(sqlalchemy.text(LINKING))]
    for start in range(0, len(keys), BATCH):
        links = [
            {"user_id": user_id, "id": note_id, "target": target}
            for user_id, note_id, body in db.execute(BODIES, {"keys": keys[start : start + BATCH]})
            for target in link_keys(body)
        ]
        backfill(db, KEEP, links, identity=("user_id", "id"))
