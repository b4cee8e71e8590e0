"""Which note links to which title, for the notes that there are and those to come."""

import sqlalchemy
from alembic import op

from notes_service.links import linked_titles
from servicekit.backfill import backfill

revision = "0004"
down_revision = "0003"

BATCH = 200

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

LINKING = "SELECT user_id, id FROM notes WHERE strpos(body, '[[') > 0"
BODIES = sqlalchemy.text("SELECT user_id, id, body FROM notes WHERE (user_id, id) IN :keys").bindparams(
    sqlalchemy.bindparam("keys", expanding=True)
)
KEEP = sqlalchemy.text("INSERT INTO note_links (user_id, id, target) VALUES (:user_id, :id, :target)")


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(INDEX)
    db = op.get_bind()
    keys = [tuple(row) for row in db.execute(sqlalchemy.text(LINKING))]
    for start in range(0, len(keys), BATCH):
        links = [
            {"user_id": user_id, "id": note_id, "target": target}
            for user_id, note_id, body in db.execute(BODIES, {"keys": keys[start : start + BATCH]})
            for target in linked_titles(body)
        ]
        backfill(db, KEEP, links, identity=("user_id", "id"))
