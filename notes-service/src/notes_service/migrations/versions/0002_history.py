"""A history that stays readable: bursts of edits become one version. How much each user keeps, for the quotas."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = [
    # `listed`: in the history. What is not is kept for a while, for writes that are repeated and for edits that met.
    # `burst`: when the person's edits began that this version is the last of; NULL where none may join it.
    """
    ALTER TABLE revisions
        ADD COLUMN listed boolean NOT NULL DEFAULT true,
        ADD COLUMN burst timestamptz
    """,
    "CREATE INDEX ON revisions (user_id, note_id, version) WHERE NOT listed",
    "CREATE INDEX ON idempotency (user_id, note_id, version)",
    "CREATE INDEX ON revisions (user_id, (actor ->> 'run_id'), note_id) WHERE actor ? 'run_id'",
    "ALTER TABLE feed ADD COLUMN notes bigint NOT NULL DEFAULT 0, ADD COLUMN bytes bigint NOT NULL DEFAULT 0",
    """
    UPDATE feed SET notes = used.notes, bytes = used.bytes
    FROM (
        SELECT user_id, count(*) AS notes,
               sum(octet_length(title) + octet_length(body) + octet_length(array_to_string(tags, ''))) AS bytes
        FROM notes GROUP BY user_id
    ) AS used
    WHERE used.user_id = feed.user_id
    """,
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
