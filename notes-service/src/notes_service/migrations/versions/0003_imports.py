"""Imports: what was uploaded, how far the work on it is, and which files were not taken."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = [
    # Until `lease_until` the worker of this `attempt` owns the import; a later attempt may not be disturbed by it.
    """
    CREATE TABLE imports (
        user_id uuid NOT NULL,
        id uuid NOT NULL,
        actor jsonb NOT NULL,
        files text[] NOT NULL,
        status text NOT NULL DEFAULT 'uploading',
        processed integer NOT NULL DEFAULT 0,
        total integer NOT NULL,
        created integer NOT NULL DEFAULT 0,
        updated integer NOT NULL DEFAULT 0,
        unchanged integer NOT NULL DEFAULT 0,
        attempt integer NOT NULL DEFAULT 0,
        lease_until timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (user_id, id)
    )
    """,
    """
    CREATE TABLE import_chunks (
        user_id uuid NOT NULL,
        import_id uuid NOT NULL,
        file integer NOT NULL,
        number integer NOT NULL,
        data bytea STORAGE EXTERNAL NOT NULL,
        PRIMARY KEY (user_id, import_id, file, number),
        FOREIGN KEY (user_id, import_id) REFERENCES imports ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE import_errors (
        user_id uuid NOT NULL,
        import_id uuid NOT NULL,
        number integer NOT NULL,
        name text NOT NULL,
        reason text NOT NULL,
        PRIMARY KEY (user_id, import_id, number),
        FOREIGN KEY (user_id, import_id) REFERENCES imports ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ON imports (user_id, created_at) WHERE status IN ('uploading', 'queued', 'running')",
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
