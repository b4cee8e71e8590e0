"""How many WebSockets each gateway has of each user, so that the bound holds for all gateways together."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE UNLOGGED TABLE gateways (id uuid PRIMARY KEY, alive_until timestamptz NOT NULL)")
    op.execute(
        """
        CREATE UNLOGGED TABLE open_sockets (
            user_id uuid NOT NULL,
            gateway_id uuid NOT NULL,
            count integer NOT NULL,
            PRIMARY KEY (user_id, gateway_id)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE open_sockets, gateways")
