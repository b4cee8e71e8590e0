"""What must hold afterwards, over the database, the stream and what every client saw."""

import asyncio
import time
from collections import Counter
from typing import Any

import asyncpg
import orjson
from contracts.streams import RUN_JOBS
from standalone.system import System
from standalone.testing import connection

from tests.chaos.door import Door
from tests.chaos.person import Ask, Person
from tests.chaos.reader import Reader
from tests.chaos.troubles import Troubles

END_SECONDS = 60.0
"""Within this time after the last fault every run has ended."""
CATCH_UP_SECONDS = 20.0
WRITING = {"create_note", "update_note", "edit_note", "delete_note"}


async def judge(system: System, people: list[Person], troubles: Troubles) -> None:
    db = await asyncpg.connect(system.postgres.dsn())
    try:
        await _all_ended(db, [person.door.user_id for person in people], troubles)
        await _no_job_left(system, troubles)
        for person in people:
            await _judge_notes(db, person, troubles)
            for ask in person.asks:
                if all(reader.done for reader in ask.readers):
                    await _judge_run(db, person.door, ask, troubles)
            runs = await db.fetchval("SELECT count(*) FROM chat.runs WHERE user_id = $1", person.door.user_id)
            begun = sum(1 for ask in person.asks if ask.run_id)
            troubles.check("repeated", runs <= len(person.asks), f"{runs} runs for {len(person.asks)} questions")
            troubles.check("lost", runs >= begun, f"{runs} runs for {begun} accepted questions")
    finally:
        await db.close()


async def _all_ended(db: Any, users: list[str], troubles: Troubles) -> None:
    deadline = time.monotonic() + END_SECONDS
    while True:
        rows = await db.fetch(
            "SELECT id, status, attempt FROM chat.runs WHERE user_id = ANY($1::uuid[]) AND done_at IS NULL", users
        )
        if not rows or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.25)
    for row in rows:
        troubles.add("stuck", f"run {row['id']} is {row['status']} after {row['attempt']} attempts")


async def _no_job_left(system: System, troubles: Troubles) -> None:
    """A job that outlives its run would be offered for ever."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    async with connection(system.nats, "admin") as nc:
        while left := (await nc.jetstream().stream_info(str(RUN_JOBS.name))).state.messages:
            if time.monotonic() > deadline:
                return troubles.add("stuck", f"{left} jobs are still in the queue")
            await asyncio.sleep(0.25)


async def _judge_run(db: Any, door: Door, ask: Ask, troubles: Troubles) -> None:
    run = f"run {ask.run_id} ({ask.message[:30]}…)"
    stored = await db.fetchrow("SELECT status, last_event_id, error FROM chat.runs WHERE id = $1", ask.run_id)
    if not troubles.check("lost", stored is not None, f"{run} is not in the database"):
        return
    witness = Reader(door, ask.readers[0].moments, ask.run_id)
    async with asyncio.timeout(END_SECONDS):
        await witness.watch()
    told = [(seen.id, seen.event, seen.data) for seen in witness.seen]
    ids = [seen.id for seen in witness.seen]
    troubles.check("lost", ids == list(range(1, len(ids) + 1)), f"{run}: the stream has {_gaps(ids)}")
    troubles.check("lost", ids[-1] == stored["last_event_id"], f"{run}: {ids[-1]} of {stored['last_event_id']} events")
    for reader in ask.readers:
        _judge_reader(run, reader, told, troubles)
    texts = await db.fetch(
        "SELECT text FROM chat.messages WHERE run_id = $1 AND role = 'assistant' ORDER BY seq", ask.run_id
    )
    for reader in [witness, *ask.readers]:
        kept = [row["text"] for row in texts if row["text"]]
        troubles.check("lost", reader.answer.texts == kept, f"{run}: shown {reader.answer.texts}, stored {kept}")
        status = f"{run}: {reader.answer.status}, stored {stored['status']}: {reader.answer.error or stored['error']}"
        ends = {"completed", "cancelled"} if ask.stopped else {"completed"}
        troubles.check("lost", reader.answer.status == stored["status"] and stored["status"] in ends, status)
    await _judge_tools(db, run, ask.run_id, witness, troubles)
    await _judge_memory(db, run, ask.run_id, troubles)


def _judge_reader(run: str, reader: Reader, told: list[tuple[int, str, str]], troubles: Troubles) -> None:
    ids = [seen.id for seen in reader.seen]
    troubles.check("repeated", len(set(ids)) == len(ids), f"{run}: a client was told {_gaps(ids)}")
    troubles.check("lost", set(ids) == set(range(1, max(ids) + 1)), f"{run}: a client was told {_gaps(ids)}")
    by_id = {number: (event, data) for number, event, data in told}
    for seen in reader.seen:
        if by_id.get(seen.id) != (seen.event, seen.data):
            now = by_id.get(seen.id)
            troubles.add("repeated", f"{run}: event {seen.id} was {seen.event} {seen.data[:80]}, is {now}")
            return


async def _judge_tools(db: Any, run: str, run_id: str, witness: Reader, troubles: Troubles) -> None:
    done = [orjson.loads(seen.data) for seen in witness.seen if seen.event == "tool_done"]
    changes: list[str] = [
        orjson.loads(row["actor"])["call_id"]
        for row in await db.fetch("SELECT actor FROM notes.changes WHERE actor->>'run_id' = $1", run_id)
    ]
    calls = [tool["call_id"] for tool in done]
    troubles.check("repeated", len(set(calls)) == len(calls), f"{run}: a call was reported twice: {calls}")
    troubles.check("repeated", len(set(changes)) == len(changes), f"{run}: a call acted twice: {changes}")
    for tool in done:
        worked = tool["status"] == "ok"
        troubles.check("lost", worked, f"{run}: {tool['name']} failed: {tool['result']}")
        if tool["name"] in WRITING and worked != (tool["call_id"] in changes):
            troubles.add("lost", f"{run}: {tool['name']} said {tool['status']}, which is not what it did")
    untold = set(changes) - set(calls)
    troubles.check("lost", not untold, f"{run}: acted without a report: {untold}")


async def _judge_memory(db: Any, run: str, run_id: str, troubles: Troubles) -> None:
    """What the model remembers: every call and its output, once each."""
    rows = await db.fetch("SELECT item FROM chat.session_items WHERE run_id = $1 ORDER BY seq", run_id)
    items = [orjson.loads(row["item"]) for row in rows]
    calls = Counter(item["call_id"] for item in items if item.get("type") == "function_call")
    outputs = Counter(item["call_id"] for item in items if item.get("type") == "function_call_output")
    troubles.check("repeated", max(calls.values(), default=1) == 1, f"{run}: remembers a call twice: {calls}")
    troubles.check("repeated", max(outputs.values(), default=1) == 1, f"{run}: remembers a result twice: {outputs}")
    troubles.check("lost", calls.keys() == outputs.keys(), f"{run}: remembers {calls}, and results {outputs}")


async def _judge_notes(db: Any, person: Person, troubles: Troubles) -> None:
    user = person.door.user_id
    cursors = [
        row["cursor"]
        for row in await db.fetch("SELECT cursor FROM notes.changes WHERE user_id = $1 ORDER BY cursor", user)
    ]
    troubles.check("lost", cursors == list(range(1, len(cursors) + 1)), f"user {user}: changes {_gaps(cursors)}")
    for tab in person.tabs:
        caught_up = await tab.reaches(len(cursors), CATCH_UP_SECONDS)
        troubles.check("lost", caught_up, f"user {user}: a tab heard of {tab.cursors[-1:]} of {len(cursors)} changes")
    for expected in person.expected:
        rows = await db.fetch(
            """
            SELECT notes.body, notes.version, deleted_at IS NOT NULL AS deleted, array_agg(op ORDER BY cursor) AS ops,
              (SELECT count(*) FROM notes.revisions
               WHERE revisions.user_id = notes.user_id AND note_id = notes.id) AS revisions
            FROM notes.notes JOIN notes.changes ON changes.user_id = notes.user_id AND note_id = notes.id
            WHERE notes.user_id = $1 AND title = $2 GROUP BY notes.user_id, notes.id
            """,
            *(user, expected.title),
        )
        if not troubles.check("repeated", len(rows) <= 1, f"{len(rows)} notes titled {expected.title}"):
            continue
        if not troubles.check("lost", len(rows) == 1, f"no note titled {expected.title}"):
            continue
        found, ops = rows[0], tuple(rows[0]["ops"])
        many = len(ops) > len(expected.ops) or found["revisions"] != found["version"]
        troubles.check("repeated" if many else "lost", ops == expected.ops, f"{expected.title}: {ops}")
        lines = tuple(line.removeprefix("- ") for line in found["body"].splitlines())
        troubles.check("lost", lines == expected.lines, f"{expected.title}: {lines}, not {expected.lines}")
        troubles.check("lost", found["deleted"] == (ops[-1] == "delete"), f"{expected.title}: deleted {ops}")


def _gaps(ids: list[int]) -> str:
    """The places where the numbers do not follow on each other."""
    jumps = [f"{later} after {earlier}" for earlier, later in zip([0, *ids], ids, strict=False) if later != earlier + 1]
    return ", ".join(jumps[:5]) or "everything"
