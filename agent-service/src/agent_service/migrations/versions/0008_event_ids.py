"""Event ids with the attempt.

Events were named by their number alone, and `kept_events.attempt` said which worker had published them. A number alone
is now one of attempt 1, whichever it was: so the retained events of runs that wait keep the ids that their readers
have.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE runs ADD COLUMN last_event_attempt integer NOT NULL DEFAULT 1")
    op.execute("UPDATE kept_events SET attempt = 1 WHERE attempt <> 1")
