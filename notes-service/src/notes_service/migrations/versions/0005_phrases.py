"""One index over a user's words that also knows which words stand side by side, and whose note it is."""

from alembic import op

revision = "0005"
down_revision = "0004"

# The neighbours of a text: a number for each two words that stand side by side. Two of 65,536 may share a number, as
# 300 of them in a note still leave few others' notes to look through. The sum is one that does not change with
# PostgreSQL's version, as its own hashes may.
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
# this kind of index knows without an extension. It is spelt differently in the two: else PostgreSQL may look for words
# by the user's entry in the index over headings, and read the words of all the user's notes. New entries are collected
# before they are sorted in, by whoever makes the list full: of PostgreSQL's usual 4 MB, a note in some hundred would
# take a second or more to save.
INDEXES = [
    "DROP INDEX note_words_heading_idx, note_words_words_idx",
    "CREATE INDEX note_words_in_heading ON note_words USING gin (heading, (ARRAY[user_id::text]))"
    " WITH (gin_pending_list_limit = 512)",
    "CREATE INDEX note_words_anywhere ON note_words USING gin (words, pairs_of(words), (ARRAY[user_id]))"
    " WITH (gin_pending_list_limit = 512)",
]

# ANALYZE would take the pairs of many thousands of notes, a millisecond each, for figures that nobody asks for. It
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


def upgrade() -> None:
    for statement in [PAIRS_OF, PAIRS_IN, *INDEXES, NO_STATISTICS]:
        op.execute(statement)
