"""How much a model is to reason: chosen for a conversation, and what its runs began with; NULL: as the model does."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE conversations ADD COLUMN effort text")
    op.execute("ALTER TABLE runs ADD COLUMN effort text")
