"""Checks a user's notes afterwards: expected content, each change once, and received by all tabs."""

from typing import Any

from tests.chaos.errands import Expected
from tests.chaos.gaps import gaps
from tests.chaos.person import Person
from tests.chaos.troubles import Troubles

CATCH_UP_SECONDS = 60.0


async def judge_notes(db: Any, person: Person, troubles: Troubles) -> None:
    user = person.door.user_id
    cursors = [
        row["cursor"]
        for row in await db.fetch("SELECT cursor FROM notes.changes WHERE user_id = $1 ORDER BY cursor", user)
    ]
    troubles.check("lost", cursors == list(range(1, len(cursors) + 1)), f"user {user}: changes {gaps(cursors)}")
    for tab in person.tabs:
        caught_up = await tab.reaches(len(cursors), CATCH_UP_SECONDS)
        troubles.check("lost", caught_up, f"user {user}: a tab received {tab.cursors[-1:]} of {len(cursors)} changes")
    for expected in person.expected:
        await _judge_note(db, user, expected, troubles)


async def _judge_note(db: Any, user_id: str, expected: Expected, troubles: Troubles) -> None:
    rows = await db.fetch(
        """
        SELECT notes.body, notes.version, deleted_at IS NOT NULL AS deleted, array_agg(op ORDER BY cursor) AS ops,
          (SELECT count(*) FROM notes.revisions
           WHERE revisions.user_id = notes.user_id AND note_id = notes.id) AS revisions
        FROM notes.notes JOIN notes.changes ON changes.user_id = notes.user_id AND note_id = notes.id
        WHERE notes.user_id = $1 AND title = $2 GROUP BY notes.user_id, notes.id
        """,
        *(user_id, expected.title),
    )
    if not troubles.check("repeated", len(rows) <= 1, f"{len(rows)} notes titled {expected.title}"):
        return
    if not troubles.check("lost", len(rows) == 1, f"no note titled {expected.title}"):
        return
    found, ops = rows[0], tuple(rows[0]["ops"])
    many = len(ops) > len(expected.ops) or found["revisions"] != found["version"]
    troubles.check("repeated" if many else "lost", ops == expected.ops, f"{expected.title}: {ops}")
    lines = tuple(line.removeprefix("- ") for line in found["body"].splitlines())
    troubles.check("lost", lines == expected.lines, f"{expected.title}: {lines}, not {expected.lines}")
    troubles.check("lost", found["deleted"] == (ops[-1] == "delete"), f"{expected.title}: deleted {ops}")
