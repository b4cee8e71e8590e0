"""Which runs' events are still in the stream."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE runs ADD COLUMN events_forgotten boolean NOT NULL DEFAULT false",
    "UPDATE runs SET events_forgotten = true WHERE done_at < now() - interval '1 hour'",
    "CREATE INDEX runs_to_forget ON runs (done_at) WHERE done_at IS NOT NULL AND NOT events_forgotten",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
