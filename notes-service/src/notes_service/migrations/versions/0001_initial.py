"""Notes, their revisions, the change feed with its outbox, search, and the keys of writes that may be repeated."""

from alembic import op

revision = "0001"
down_revision = None

SEARCH_PARTITIONS = 32

TABLES = [
    # The row every writer of a user locks: it orders the user's changes.
    """
    CREATE TABLE feed (
        user_id uuid PRIMARY KEY,
        cursor bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE notes (
        user_id uuid NOT NULL,
        id uuid NOT NULL,
        title text NOT NULL,
        title_key text COLLATE "C" NOT NULL,
        body text NOT NULL,
        preview text NOT NULL,
        tags text[] NOT NULL,
        pinned boolean NOT NULL,
        archived boolean NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        deleted_at timestamptz,
        updated_by jsonb NOT NULL,
        PRIMARY KEY (user_id, id)
    )
    """,
    """
    CREATE TABLE revisions (
        user_id uuid NOT NULL,
        note_id uuid NOT NULL,
        version integer NOT NULL,
        op text NOT NULL,
        title text NOT NULL,
        body text NOT NULL,
        tags text[] NOT NULL,
        pinned boolean NOT NULL,
        archived boolean NOT NULL,
        deleted_at timestamptz,
        actor jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (user_id, note_id, version),
        FOREIGN KEY (user_id, note_id) REFERENCES notes ON DELETE CASCADE
    )
    """,
    # The change feed. What has not been published yet is the outbox.
    """
    CREATE TABLE changes (
        user_id uuid NOT NULL,
        cursor bigint NOT NULL,
        op text NOT NULL,
        note_id uuid NOT NULL,
        version integer NOT NULL,
        actor jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        published boolean NOT NULL DEFAULT false,
        PRIMARY KEY (user_id, cursor)
    )
    """,
    """
    CREATE TABLE idempotency (
        user_id uuid NOT NULL,
        key text NOT NULL,
        note_id uuid NOT NULL,
        version integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (user_id, key)
    )
    """,
    # One row for each note outside the trash; `heading` has the words of title and tags alone. In partitions, because
    # an index over words alone would make a common word cost as much as all users' notes have of it; a user's partition
    # holds the notes of few others. No key and no index begins with the user: PostgreSQL would take it and read the
    # words of all the user's notes, whose cost it does not know, instead of the index over words.
    """
    CREATE TABLE note_words (
        user_id uuid NOT NULL,
        note_id uuid NOT NULL,
        heading tsvector NOT NULL,
        words tsvector NOT NULL,
        FOREIGN KEY (user_id, note_id) REFERENCES notes ON DELETE CASCADE
    ) PARTITION BY HASH (user_id)
    """,
]

INDEXES = [
    "CREATE INDEX ON notes (user_id, archived, pinned, updated_at, id) WHERE deleted_at IS NULL",
    "CREATE INDEX ON notes (user_id, archived, pinned, created_at, id) WHERE deleted_at IS NULL",
    "CREATE INDEX ON notes (user_id, archived, (NOT pinned), title_key, id) WHERE deleted_at IS NULL",
    "CREATE INDEX ON notes (user_id, deleted_at) WHERE deleted_at IS NOT NULL",
    "CREATE INDEX ON changes (user_id, cursor) WHERE NOT published",
    "CREATE INDEX ON changes USING brin (created_at)",
    "CREATE INDEX ON idempotency USING brin (created_at)",
    "CREATE INDEX ON note_words (note_id)",
    "CREATE INDEX ON note_words USING gin (heading)",
    "CREATE INDEX ON note_words USING gin (words)",
]

# Words count as they stand (`simple`) and by their stem in the configured language where that is another word.
WORDS_OF = """
CREATE FUNCTION words_of(language regconfig, folded text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT plain || ts_delete(to_tsvector(language, folded), tsvector_to_array(plain))
    FROM (SELECT to_tsvector('simple', folded) AS plain) AS parsed
)
"""
HEADING_OF = """
CREATE FUNCTION heading_of(language regconfig, title text, tags text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN setweight(words_of(language, title), 'A') || setweight(words_of(language, tags), 'B')
"""

# What is typed last is the beginning of a word, unless it is excluded (-word) or a finished "phrase".
BEGUN_QUERY = r"""
CREATE FUNCTION begun_query(typed text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT CASE
        WHEN typed ~ '"\s*$' OR right(plain::text, 1) <> '''' OR plain::text ~ '!''[^'']*''$' THEN plain
        ELSE (plain::text || ':*')::tsquery
    END
    FROM (SELECT websearch_to_tsquery('simple', typed) AS plain) AS parsed
)
"""

# Words as they stand or are begun, or all of them in any form. The beginning of a stem would match too much.
# Nothing to look for, or only what to leave out: NULL.
SEARCH_QUERY = """
CREATE FUNCTION search_query(language regconfig, typed text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT CASE WHEN querytree(query) NOT IN ('', 'T') THEN query END
    FROM (SELECT begun_query(typed) || websearch_to_tsquery(language, typed) AS query) AS asked
)
"""

# The same with the words of a phrase anywhere: what the index can tell without reading the words of every note.
LOOSE_QUERY = r"""
CREATE FUNCTION loose_query(language regconfig, typed text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT CASE WHEN query::text ~ '!\s*\(' THEN query
                ELSE regexp_replace(query::text, '<(-|\d+)>', '&', 'g')::tsquery END
    FROM (SELECT search_query(language, typed) AS query) AS asked
)
"""


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for number in range(SEARCH_PARTITIONS):
        op.execute(
            f"CREATE TABLE note_words_{number:02} PARTITION OF note_words "
            f"FOR VALUES WITH (MODULUS {SEARCH_PARTITIONS}, REMAINDER {number})"
        )
    for statement in [*INDEXES, WORDS_OF, HEADING_OF, BEGUN_QUERY, SEARCH_QUERY, LOOSE_QUERY]:
        op.execute(statement)
