"""How much text the versions of a user's notes are: counted, so that it can be bounded."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = [
    # With the newest version of each note, which is the note once more: what is left without `bytes` is the history.
    "ALTER TABLE feed ADD COLUMN revision_bytes bigint NOT NULL DEFAULT 0",
    """
    UPDATE feed SET revision_bytes = used.bytes
    FROM (
        SELECT user_id,
               sum(octet_length(title) + octet_length(body) + octet_length(array_to_string(tags, ''))) AS bytes
        FROM revisions GROUP BY user_id
    ) AS used
    WHERE used.user_id = feed.user_id
    """,
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
