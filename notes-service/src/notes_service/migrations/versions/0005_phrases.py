"""One index over a user's words that also knows which words stand side by side, and whose note it is."""

import os

import sqlalchemy
from alembic import op

from notes_service.index_tokens import REPLACED, UNSPACED_RUN, index_text
from servicekit.backfill import backfill

revision = "0005"
down_revision = "0004"

# The word pairs of a text: a number for each two words that stand side by side. Pairs may share one of the 65,536
# numbers: a note has some 300 of them, so few notes are read in vain. The checksum does not change with PostgreSQL's
# version, as its own hashes may.
PAIRS_OF = """
CREATE FUNCTION pairs_of(words tsvector) RETURNS int[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT array_agg((crc32(convert_to(word || ' ' || next_word, 'UTF8')) & 65535)::int)
    FROM (
        SELECT lexeme AS word, place, lead(lexeme) OVER reading AS next_word, lead(place) OVER reading AS next_place
        FROM unnest(words) AS entry, unnest(entry.positions) AS place WINDOW reading AS (ORDER BY place)
    ) AS read
    WHERE next_place = place + 1
)
"""
PAIRS_IN = """
CREATE FUNCTION pairs_in(phrases text[]) RETURNS int[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT coalesce(array_agg(pair), '{}')
    FROM unnest(phrases) AS phrase, unnest(pairs_of(to_tsvector('simple', phrase))) AS pair
)
"""

# The user is in the index, so that nothing of the neighbours in the partition is read: as a list of one, which is what
# this kind of index knows without an extension. It is written differently in the two: else PostgreSQL may look for
# words by the user's entry in the index over headings, and read the words of all the user's notes. New entries are
# collected before they are sorted in, by whoever makes the list full: of PostgreSQL's usual 4 MB, a note in some
# hundred would take a second or more to save.
INDEXES = [
    "DROP INDEX note_words_heading_idx, note_words_words_idx",
    "CREATE INDEX note_words_in_heading ON note_words USING gin (heading, (ARRAY[user_id::text]))"
    " WITH (gin_pending_list_limit = 512)",
    "CREATE INDEX note_words_anywhere ON note_words USING gin (words, pairs_of(words), (ARRAY[user_id]))"
    " WITH (gin_pending_list_limit = 512)",
]

# ANALYZE would take the pairs of many thousands of notes, a millisecond each, for figures that no plan needs. It
# leaves out an index's expressions only all together.
NO_STATISTICS = """
DO $$
DECLARE partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'note_words_anywhere'::regclass LOOP
        EXECUTE format('ALTER INDEX %s ALTER COLUMN 2 SET STATISTICS 0', partition);
        EXECUTE format('ALTER INDEX %s ALTER COLUMN 3 SET STATISTICS 0', partition);
    END LOOP;
END $$
"""


# The words of existing notes that are indexed in another way from now on: with letters that are expanded or left out,
# a final sigma, in full width, or without spaces.
BATCH = 200
CHANGED_LETTERS = f"{REPLACED.pattern}|{UNSPACED_RUN.pattern}|[ς\uff01-\uff5e]"
CHANGED = sqlalchemy.text(
    "SELECT user_id, id FROM notes WHERE deleted_at IS NULL "
    "AND concat_ws(' ', title, array_to_string(tags, ' '), body) ~ CAST(:letters AS text)"
)
NOTES = sqlalchemy.text("SELECT user_id, id, title, tags, body FROM notes WHERE (user_id, id) IN :keys").bindparams(
    sqlalchemy.bindparam("keys", expanding=True)
)
REINDEX = sqlalchemy.text("""
UPDATE note_words SET heading = made, words = made || setweight(words_of(language, :body), 'C')
FROM (SELECT CAST(CAST(:language AS text) AS regconfig) AS language) AS setting,
     heading_of(language, :title, :tags) AS made
WHERE user_id = :user_id AND note_id = :note_id
""")


def reindex() -> None:
    db = op.get_bind()
    language = os.environ.get("INKSTREAM_SEARCH_LANGUAGE") or "english"
    keys = [tuple(row) for row in db.execute(CHANGED, {"letters": CHANGED_LETTERS})]
    for start in range(0, len(keys), BATCH):
        backfill(
            db,
            REINDEX,
            [
                {
                    "user_id": user_id,
                    "note_id": note_id,
                    "language": language,
                    "title": index_text(title),
                    "tags": index_text(" ".join(tags)),
                    "body": index_text(body),
                }
                for user_id, note_id, title, tags, body in db.execute(NOTES, {"keys": keys[start : start + BATCH]})
            ],
            identity=("user_id", "note_id"),
        )


def upgrade() -> None:
    for statement in [PAIRS_OF, PAIRS_IN, *INDEXES, NO_STATISTICS]:
        op.execute(statement)
    reindex()
