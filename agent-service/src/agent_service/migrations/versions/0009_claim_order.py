"""The order in which runs are claimed.

`claimed_at`: when a worker last claimed the run, by which users take turns. The new index has only the runs that a
worker may claim: many others are unfinished while they wait for their user.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE runs ADD COLUMN claimed_at timestamptz",
    "CREATE INDEX runs_by_turn ON runs (user_id, claimed_at) WHERE claimed_at IS NOT NULL",
    "CREATE INDEX runs_needing_worker ON runs (user_id, created_at) WHERE done_at IS NULL AND status <> 'waiting'",
    "DROP INDEX runs_unfinished",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
