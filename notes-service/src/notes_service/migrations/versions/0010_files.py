"""Files: what is known of them, and of uploads. The bytes are in the object store."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = [
    "ALTER TABLE feed ADD COLUMN files integer NOT NULL DEFAULT 0, ADD COLUMN file_bytes bigint NOT NULL DEFAULT 0",
    # The same bytes are one file of a user.
    """
    CREATE TABLE files (
        user_id uuid NOT NULL,
        id uuid NOT NULL,
        sha256 bytea NOT NULL,
        object_id uuid NOT NULL,
        name text NOT NULL,
        media_type text NOT NULL,
        bytes bigint NOT NULL,
        width integer,
        height integer,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (user_id, id),
        UNIQUE (user_id, sha256)
    )
    """,
    # Smaller copies of pictures. Without an object: none can be made.
    """
    CREATE TABLE file_previews (
        user_id uuid NOT NULL,
        file_id uuid NOT NULL,
        size integer NOT NULL,
        object_id uuid,
        media_type text,
        bytes bigint,
        PRIMARY KEY (user_id, file_id, size),
        FOREIGN KEY (user_id, file_id) REFERENCES files ON DELETE CASCADE
    )
    """,
    # `file_id` once it is complete: until it expires, who missed the answer may ask for it again.
    """
    CREATE TABLE uploads (
        user_id uuid NOT NULL,
        id uuid NOT NULL,
        name text NOT NULL,
        length bigint NOT NULL,
        received bigint NOT NULL DEFAULT 0,
        file_id uuid,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, id)
    )
    """,
    """
    CREATE TABLE upload_parts (
        user_id uuid NOT NULL,
        upload_id uuid NOT NULL,
        start bigint NOT NULL,
        object_id uuid NOT NULL,
        bytes bigint NOT NULL,
        PRIMARY KEY (user_id, upload_id, start),
        FOREIGN KEY (user_id, upload_id) REFERENCES uploads ON DELETE CASCADE
    )
    """,
    # Objects that nothing refers to any more, in the transaction that removed the last reference.
    """
    CREATE TABLE unused_objects (
        user_id uuid NOT NULL,
        object_id uuid NOT NULL,
        PRIMARY KEY (user_id, object_id)
    )
    """,
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
