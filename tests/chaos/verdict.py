"""Checks the invariants afterwards, by the database, the stream and what every client saw."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import asyncpg
import orjson

from contracts.run_events import EventId
from contracts.streams import RUN_JOBS
from standalone.system import System
from standalone.testing import connection, until
from tests.chaos.door import Door
from tests.chaos.gaps import gaps
from tests.chaos.judge_branches import judge_branches
from tests.chaos.judge_notes import CATCH_UP_SECONDS, judge_notes
from tests.chaos.person import Ask, Person
from tests.chaos.reader import Reader
from tests.chaos.troubles import Troubles

END_SECONDS = 120.0
"""The time after the last fault within which every run must have ended."""
REQUIRE_APPROVAL = {"delete_note"}
TOOL_ENDS = {"allow": "ok", "deny": "denied", "stop": "error"}
WRITING = {"create_note", "update_note", "edit_note", "delete_note"}


async def judge(system: System, people: list[Person], troubles: Troubles) -> None:
    db = await asyncpg.connect(system.postgres.dsn())
    try:
        await _all_ended(db, [person.door.user_id for person in people], troubles)
        await _no_job_left(system, troubles)
        for person in people:
            await judge_notes(db, person, troubles)
            await judge_branches(db, person, troubles)
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
    rows: list[Any] = []

    async def look() -> bool:
        rows[:] = await db.fetch(
            "SELECT id, status, attempt FROM chat.runs WHERE user_id = ANY($1::uuid[]) AND done_at IS NULL", users
        )
        return not rows

    with suppress(AssertionError):
        await until("an end of every run", look, END_SECONDS)
    for row in rows:
        troubles.add("stuck", f"run {row['id']} is {row['status']} after {row['attempt']} attempts")


async def _no_job_left(system: System, troubles: Troubles) -> None:
    """Checks that no job outlives its run, because it would be redelivered for ever."""
    async with connection(system.nats, "admin") as nc:

        async def look() -> bool:
            return not (await nc.jetstream().stream_info(str(RUN_JOBS.name))).state.messages

        try:
            await until("an empty queue of jobs", look, CATCH_UP_SECONDS)
        except AssertionError:
            troubles.add("stuck", "jobs are still in the queue")


async def _judge_run(db: Any, door: Door, ask: Ask, troubles: Troubles) -> None:
    run = f"run {ask.run_id} ({ask.message[:30]}…)"
    stored = await db.fetchrow(
        "SELECT status, last_event_attempt, last_event_id, error, undone_at FROM chat.runs WHERE id = $1", ask.run_id
    )
    if not troubles.check("lost", stored is not None, f"{run} is not in the database"):
        return
    troubles.check("lost", (stored["undone_at"] is not None) == ask.undone, f"{run}: undone at {stored['undone_at']}")
    witness = Reader(door, ask.readers[0].moments, ask.run_id)
    async with asyncio.timeout(END_SECONDS):
        await witness.watch()
    told = [(seen.id, seen.event, seen.data) for seen in witness.seen]
    numbers = [seen.id.number for seen in witness.seen]
    last = EventId(stored["last_event_attempt"], stored["last_event_id"])
    troubles.check("lost", numbers == list(range(1, len(numbers) + 1)), f"{run}: the log has {gaps(numbers)}")
    troubles.check("lost", told[-1][0] == last, f"{run}: the log ends with {told[-1][0]}, not with {last}")
    for reader in ask.readers:
        _judge_reader(run, reader, told, troubles)
    texts = await db.fetch(
        "SELECT text FROM chat.messages WHERE run_id = $1 AND role = 'assistant' ORDER BY seq", ask.run_id
    )
    for reader in [witness, *ask.readers]:
        stored_texts = [row["text"] for row in texts if row["text"]]
        troubles.check(
            "lost", reader.answer.texts == stored_texts, f"{run}: shown {reader.answer.texts}, stored {stored_texts}"
        )
        status = f"{run}: {reader.answer.status}, stored {stored['status']}: {reader.answer.error or stored['error']}"
        ends = {"completed", "cancelled"} if ask.stopped else {"completed"}
        troubles.check("lost", reader.answer.status == stored["status"] and stored["status"] in ends, status)
    await _judge_tools(db, run, ask, witness, troubles)
    await _judge_memory(db, run, ask.run_id, troubles)


def _judge_reader(run: str, reader: Reader, told: list[tuple[EventId, str, str]], troubles: Troubles) -> None:
    """What it has is what the log has; a `restart` takes back what it was told of a worker that died before it was
    stored. After `done` there is none: what stands last may be void then."""
    ids = [seen.id for seen in reader.seen]
    in_order = [str(event_id) for event_id in ids]
    troubles.check("repeated", ids == sorted(set(ids)), f"{run}: a client was told {in_order}")
    shown: list[tuple[EventId, str, str]] = []
    for seen in reader.seen:
        if seen.event == "restart" or seen.id.number == 1:
            del shown[seen.id.number - 1 :]
        if not troubles.check(
            "lost", seen.id.number == len(shown) + 1, f"{run}: a client was told {seen.id} after {len(shown)} events"
        ):
            return
        shown.append((seen.id, seen.event, seen.data))
    ends = {event_id.attempt: event_id.number for event_id, _, _ in told}
    while shown and shown[-1][0].number > ends.get(shown[-1][0].attempt, 0):
        shown.pop()
        told = told[: len(shown)]
    if shown != told:
        wrong = next((pair for pair in zip(shown, told, strict=False) if pair[0] != pair[1]), (len(shown), len(told)))
        troubles.add("repeated", f"{run}: a client was told {wrong[0]}, the log has {wrong[1]}")


async def _judge_tools(db: Any, run: str, ask: Ask, witness: Reader, troubles: Troubles) -> None:
    """Checks that every tool call had the effect that it reported, and that denied calls had none."""
    done = [orjson.loads(seen.data) for seen in witness.seen if seen.event == "tool_done"]
    changes: list[str] = [
        orjson.loads(row["actor"])["call_id"]
        for row in await db.fetch(
            "SELECT actor FROM notes.changes WHERE actor->>'run_id' = $1 AND actor->>'kind' = 'agent'", ask.run_id
        )
    ]
    calls = [tool["call_id"] for tool in done]
    troubles.check("repeated", len(set(calls)) == len(calls), f"{run}: a call was reported twice: {calls}")
    troubles.check("repeated", len(set(changes)) == len(changes), f"{run}: a call acted twice: {changes}")
    for tool in done:
        worked = tool["status"] == "ok"
        as_decided = tool["status"] == TOOL_ENDS[ask.reply] or (worked and tool["name"] not in REQUIRE_APPROVAL)
        troubles.check("lost", as_decided, f"{run}: {tool['name']} ended with {tool['status']}: {tool['result']}")
        if tool["name"] in WRITING and worked != (tool["call_id"] in changes):
            troubles.add("lost", f"{run}: {tool['name']} said {tool['status']}, which is not what it did")
    untold = set(changes) - set(calls)
    troubles.check("lost", not untold, f"{run}: acted without a report: {untold}")


async def _judge_memory(db: Any, run: str, run_id: str, troubles: Troubles) -> None:
    """Checks the model's conversation: every call and its output, once each."""
    rows = await db.fetch("SELECT item FROM chat.session_items WHERE run_id = $1 ORDER BY seq", run_id)
    items = [orjson.loads(row["item"]) for row in rows]
    calls = Counter(item["call_id"] for item in items if item.get("type") == "function_call")
    outputs = Counter(item["call_id"] for item in items if item.get("type") == "function_call_output")
    troubles.check("repeated", max(calls.values(), default=1) == 1, f"{run}: remembers a call twice: {calls}")
    troubles.check("repeated", max(outputs.values(), default=1) == 1, f"{run}: remembers a result twice: {outputs}")
    troubles.check("lost", calls.keys() == outputs.keys(), f"{run}: remembers {calls}, and results {outputs}")
