"""Only moments that every program can hold: an imported note may claim to be of the year 1.

Such notes get the time of their first and of their newest version here. The bounds are those of `contracts.moments`.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

IS_STORABLE = "{0} >= '1000-01-01 00:00:00+00' AND {0} < '9999-01-01 00:00:00+00'"


def _mend(column: str, which: str) -> str:
    return f"""
    UPDATE notes SET {column} = coalesce((
        SELECT {which}(created_at) FROM revisions AS r WHERE (r.user_id, r.note_id) = (notes.user_id, notes.id)
    ), now())
    WHERE NOT ({IS_STORABLE.format(column)})
    """  # noqa: S608


STATEMENTS = [
    _mend("created_at", "min"),
    _mend("updated_at", "max"),
    f"""
    ALTER TABLE notes
        ADD CONSTRAINT created_at_is_storable CHECK ({IS_STORABLE.format("created_at")}),
        ADD CONSTRAINT updated_at_is_storable CHECK ({IS_STORABLE.format("updated_at")})
    """,
]


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
