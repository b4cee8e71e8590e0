"""A wait for approval longer than the stream's retention: the events before it are retained unchanged."""

import orjson
import pytest
from agents.testing import ScriptedModel, assistant_message, function_call
from nats.aio.client import Client

from contracts import chat, subjects
from servicekit import database
from standalone.nats import Nats
from standalone.postgres import Postgres
from standalone.testing import connection, until

from .people import Person, ReceivedEvents, Serve


async def retained(person: Person, run_id: str, after: int = 0) -> list[chat.RetainedEvent]:
    return (await person.ask(chat.RUN_RETAINED_EVENTS, run_id=run_id, after=after)).events


def as_retained(received: ReceivedEvents) -> list[chat.RetainedEvent]:
    return [
        chat.RetainedEvent(id=event.seq, attempt=event.attempt, event=event.event, data=event.data.decode())
        for event in received.events
    ]


async def purge(nc: Client, person: Person, run_id: str) -> None:
    await nc.jetstream().purge_stream("RUN_EVENTS", subject=subjects.run_log(person.actor.user_id, run_id))


async def allow(person: Person, run_id: str, call_id: str) -> None:
    await person.ask(chat.RUN_DECIDE, run_id=run_id, decisions=[{"call_id": call_id, "approve": True}])


async def test_the_numbers_go_on_where_they_were(serve: Serve, person: Person, broker: Nats) -> None:
    """Two waits; the stream deletes all events during each of them."""
    notes = [await person.note(title) for title in ("One", "Two")]
    deletes = [function_call("delete_note", {"note_id": note.id}, call_id=f"d{n}") for n, note in enumerate(notes)]
    model = ScriptedModel(
        [[assistant_message("First this."), deletes[0]], [deletes[1]], [assistant_message("Both are gone.")]]
    )
    async with serve(model), connection(broker, "admin") as nc:
        started, received = await person.say("Delete both")
        for number in range(2):
            await received.until(lambda number=number: len(received.of("approval_required")) > number)
            await person.until_run(started.run_id, "waiting")
            await purge(nc, person, started.run_id)
            before = await retained(person, started.run_id)
            assert before == as_retained(received)
            assert await retained(person, started.run_id, after=10**15 - 1) == []
            assert await retained(person, started.run_id, after=2) == before[2:]
            late = await person.listen(started.run_id)
            await allow(person, started.run_id, f"d{number}")
        await received.done()
        await late.done()
    received.assert_contiguous()
    assert [event.seq for event in late.events] == list(range(len(before) + 1, len(received.events) + 1))
    assert "restart" not in received.names
    for name in ("tool_call", "tool_done", "approval_required", "message"):
        published = [orjson.dumps(event) for event in received.of(name)]
        assert len(set(published)) == len(published)


async def test_many_events_are_returned_in_chunks(
    serve: Serve, person: Person, broker: Nats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_service.repository.retained_events.RESPONSE_BYTES", 200)
    note = await person.note("Old")
    call = function_call("delete_note", {"note_id": note.id}, call_id="d0")
    async with serve(ScriptedModel([[assistant_message("Well, " * 50), call], [assistant_message("Gone.")]])):
        started, received = await person.say("Delete it")
        await received.until(lambda: received.of("approval_required"))
        await person.until_run(started.run_id, "waiting")
        read: list[chat.RetainedEvent] = []
        while chunk := await retained(person, started.run_id, after=len(read)):
            assert sum(len(event.data) for event in chunk[:-1]) < 200
            read += chunk
        assert read == as_retained(received)
        await allow(person, started.run_id, "d0")
        await received.done()


async def test_retained_events_are_deleted_after_the_run(serve: Serve, person: Person, postgres: Postgres) -> None:
    note = await person.note("Old")
    call = function_call("delete_note", {"note_id": note.id}, call_id="d0")
    model = ScriptedModel([[call], [assistant_message("Gone.")]])
    async with (
        serve(model, keep_events_s=0.1),
        database.pool(postgres.dsn("chat"), "chat", size=1) as pool,
    ):
        started, received = await person.say("Delete it")
        await person.until_run(started.run_id, "waiting")
        await allow(person, started.run_id, "d0")
        await received.done()

        async def gone() -> bool:
            return not await pool.fetchval("SELECT count(*) FROM kept_events WHERE run_id = $1", started.run_id)

        await until("a run without retained events", gone)
