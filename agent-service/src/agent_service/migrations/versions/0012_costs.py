"""Costs: of each run, and what each model was used by day, whatever becomes of the conversations.

Amounts are exact decimals. `currency` of a day is empty where its model had no price.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE runs ADD COLUMN cost numeric, ADD COLUMN currency text",
    """
    CREATE TABLE daily_usage (
      user_id uuid NOT NULL,
      day date NOT NULL,
      model text NOT NULL,
      currency text NOT NULL DEFAULT '',
      input_tokens bigint NOT NULL,
      output_tokens bigint NOT NULL,
      requests integer NOT NULL,
      cost numeric,
      PRIMARY KEY (user_id, day, model, currency)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
