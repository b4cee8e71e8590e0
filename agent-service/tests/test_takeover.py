"""A worker dies at critical moments and another takes over. Nothing is lost, done twice or published twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

from agent_service.errors import LeaseLost
from agent_service.repository import (
    ClaimRepository,
    ProgressRepository,
    RunLimitRepository,
    RunRepository,
    Terms,
    ToolResult,
)
from agent_service.repository.runs import NewRun
from agent_service.signals import Signals
from agent_service.worker import Worker
from contracts import chat, notes, subjects
from contracts.ids import new_id
from contracts.run_events import EventId
from contracts.streams import RUN_EVENTS
from servicekit import database
from standalone.nats import Nats
from standalone.postgres import Postgres
from standalone.testing import SLOW_SECONDS, connection, until

from .people import Person, Serve


def kill(worker: Worker, run_id: str) -> None:
    """Ends the work on a run at this point."""
    worker._active[run_id].task.cancel()


def dying_once(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, worker: list[Worker], after: bool) -> None:
    """The first call of `method` kills its worker, before or after the call has taken effect."""
    original = getattr(owner, method)
    calls = 0

    async def dying(self: Any, *args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 1:
            return await original(self, *args, **named)
        if after:
            await original(self, *args, **named)
        for run_id in list(worker[0]._active):
            kill(worker[0], run_id)
        return await asyncio.Event().wait()

    monkeypatch.setattr(owner, method, dying)


async def test_in_the_middle_of_the_text(serve: Serve, person: Person) -> None:
    async def half(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(type="response.output_text.delta", delta="Half an ans")
        await asyncio.Event().wait()

    model = ScriptedModel([ModelStep.stream(half), [assistant_message("A whole answer.")]])
    async with serve(model) as worker:
        started, received = await person.say("Hello")
        await received.until(lambda: received.text == "Half an ans")
        kill(worker, started.run_id)
        await received.done()
        talk = await person.conversation(started.conversation_id)
    received.assert_contiguous()
    assert received.names in (
        ["run", "restart", "token", "message", "done"],
        ["run", "token", "restart", "token", "message", "done"],  # the text was in the log before the worker died
    )
    assert received.of("restart") == [{"attempt": 2}]
    assert [message.text for message in talk.messages[1:]] == ["A whole answer."]
    assert model.last_call is not None
    assert [item["content"] for item in model.last_call.input] == ["Hello"]


async def test_with_nothing_left_in_the_log(serve: Serve, person: Person, broker: Nats) -> None:
    """As after an upgrade from another form of it, and after a broker has lost its store."""

    async def half(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(type="response.output_text.delta", delta="Half an ans")
        await asyncio.Event().wait()

    steps = [[function_call("list_notes", {}, call_id="l1")], ModelStep.stream(half), [assistant_message("All of it.")]]
    async with serve(ScriptedModel(steps)) as worker, connection(broker, "admin") as nc:
        started, received = await person.say("What have I?")
        await received.until(lambda: received.text == "Half an ans")
        await nc.jetstream().purge_stream(
            str(RUN_EVENTS.name), subject=subjects.run_log(person.actor.user_id, started.run_id)
        )
        kill(worker, started.run_id)
        await received.done()

        async def closed() -> bool:
            return (await person.run(started.run_id)).last_event_id == str(received.events[-1].id)

        await until("the id of the last event", closed)
    assert [event.id for event in received.events] == [(2, number) for number in range(1, len(received.events) + 1)]
    assert received.names[:2] == ["run", "restart"]
    assert (received.names.count("tool_call"), received.names.count("tool_done")) == (1, 1)
    assert [message["text"] for message in received.of("message")] == ["All of it."]


@pytest.mark.parametrize(
    ("owner", "method", "after"),
    [
        (ProgressRepository, "store_message", False),
        (ProgressRepository, "store_message", True),
        (ProgressRepository, "store_result", False),
        (ProgressRepository, "store_result", True),
        (ProgressRepository, "finish", False),
        (ProgressRepository, "finish", True),
        (ProgressRepository, "close", False),
        (ProgressRepository, "close", True),
        (Signals, "run_changed", True),
    ],
)
async def test_around_every_write(
    serve: Serve, person: Person, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, after: bool
) -> None:
    def answer(call: Any) -> Any:
        """Creates a note unless the prompt shows that it already did."""
        outputs = [item for item in call.input if item.get("type") == "function_call_output"]
        create = function_call("create_note", {"title": "Once"}, call_id=f"c{len(call.input)}")
        return [assistant_message("It is done.")] if outputs else [create]

    workers: list[Worker] = []
    async with serve(ScriptedModel([ModelStep.respond(answer)] * 8)) as worker:
        workers.append(worker)
        if owner is Signals:
            monkeypatch.setattr(Signals, "conversation_changed", lambda *_: asyncio.sleep(0))
            started, received = await _started(person, monkeypatch)
        dying_once(monkeypatch, owner, method, workers, after)
        if owner is not Signals:
            started, received = await person.say("Make a note")
        await received.done()
        async with asyncio.timeout(SLOW_SECONDS):
            while worker._active:
                await asyncio.wait([active.task for active in worker._active.values()])
        expected_attempt = 1 if method == "close" and after else 2
        await until("the last attempt", lambda: _has_attempt(person, started.run_id, expected_attempt))
        page: notes.NotePage = await person.ask(notes.LIST)
        talk = await person.conversation(started.conversation_id)
        run = await person.run(started.run_id)
    received.assert_contiguous()
    assert [note.title for note in page.notes] == ["Once"]
    assert len({event["call_id"] for event in received.of("tool_done")}) == 1
    assert received.names.count("tool_done") == 1
    assert received.names.count("notes_changed") == 1
    assert [message["text"] for message in received.of("message")] == ["It is done."]
    assert (run.status, received.of("done")[0]["status"]) == ("completed", "completed")
    assert run.attempt == expected_attempt
    assert [(message.text, len(message.tool_calls)) for message in talk.messages[1:]] == [("", 1), ("It is done.", 0)]


async def _has_attempt(person: Person, run_id: str, attempt: int) -> bool:
    """Polled, because after `done` no reader is left to receive the replacing worker's events."""
    return (await person.run(run_id)).attempt == attempt


async def _started(person: Person, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Starts a run without its first signal, so that the signal at its end comes first."""
    original = Signals.run_changed
    monkeypatch.setattr(Signals, "run_changed", lambda *_: asyncio.sleep(0))
    try:
        return await person.say("Make a note")
    finally:
        monkeypatch.setattr(Signals, "run_changed", original)


@pytest.mark.parametrize(
    ("name", "arguments", "after"),
    [
        ("edit_note", {"find": "milk", "replace": "oat milk"}, ("Shopping", "oat milk\neggs", False)),
        ("update_note", {"title": "Groceries"}, ("Groceries", "milk\neggs", False)),
        ("delete_note", {}, ("Shopping", "milk\neggs", True)),
    ],
)
async def test_a_change_is_made_once(
    serve: Serve,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    arguments: dict[str, Any],
    after: tuple[str, str, bool],
) -> None:
    """For a note that was only in the prompt of the worker that died."""
    note = await person.note("Shopping", "milk\neggs")
    change = function_call(name, {"note_id": note.id, **arguments}, call_id="e1")
    workers: list[Worker] = []
    dying_once(monkeypatch, ProgressRepository, "store_result", workers, after=False)
    async with serve(ScriptedModel([[change], [assistant_message("Changed.")]])) as worker:
        workers.append(worker)
        _, received = await person.talk("Change it", approval="never")
        changed = await person.ask(notes.GET, id=note.id)
    received.assert_contiguous()
    assert received.of("tool_done")[0]["status"] == "ok"
    assert (changed.title, changed.body, changed.deleted_at is not None) == after
    assert changed.version == 2


async def test_who_lost_a_run_cannot_write(serve: Serve, person: Person, postgres: Postgres) -> None:
    async with serve(ScriptedModel([])):
        pass  # the schema is there, and no worker that would claim the run
    async with database.pool(postgres.dsn("chat"), "chat", size=2) as pool:
        claims, progress = ClaimRepository(pool), ProgressRepository(pool)
        user_id = person.actor.user_id
        new = NewRun(new_id(), user_id, "ada", None, None, None, "Hello", "Hello", "never", "")
        terms = Terms(timedelta(seconds=60), "m", "live")
        await RunRepository(pool).start(new, RunLimitRepository(1, 1, 10))
        first = await claims.claim(user_id, new.id, terms, terms.lease)
        assert first is not None
        assert await claims.claim(user_id, new.id, terms, terms.lease) is None
        await claims.release(first.id, first.attempt, delay=None)
        second = await claims.claim(user_id, new.id, terms, terms.lease)
        assert second is not None
        assert await claims.renew({first.id: first.attempt}, terms.lease) == {}
        result = ToolResult("c1", "ok", {}, False, 1, None, {}, 9)
        for write in (
            progress.store_result(first, result),
            progress.finish(first, "completed", None, None, "m", message=None, spent={}),
            progress.close(first, EventId(1, 1)),
        ):
            with pytest.raises(LeaseLost):
                await write
        await progress.finish(second, "failed", None, None, "m", message=None, spent={})
        await progress.close(second, EventId(2, 1))


async def test_a_run_without_a_job_is_found(serve: Serve, person: Person, postgres: Postgres) -> None:
    async with (
        serve(ScriptedModel([[assistant_message("Found.")]])),
        database.pool(postgres.dsn("chat"), "chat", size=2) as pool,
    ):
        new = NewRun(new_id(), person.actor.user_id, "ada", None, None, None, "Hello", "Hello", "never", "")
        await RunRepository(pool).start(new, RunLimitRepository(1, 1, 10))
        await person.until_run(new.id, "completed")


async def test_a_worker_that_must_go_hands_its_runs_on(
    serve: Serve, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_service.worker.worker.DRAIN_SECONDS", 0.1)
    requested = asyncio.Event()

    async def never(_: Any) -> Any:
        requested.set()
        await asyncio.Event().wait()

    async with serve(ScriptedModel([ModelStep.respond(never)])):
        _, received = await person.say("Hello")
        await requested.wait()
    async with serve(ScriptedModel([[assistant_message("Here.")]])):
        await received.done()
    received.assert_contiguous()
    assert received.names == ["run", "restart", "token", "message", "done"]


async def test_cancel_what_no_worker_has(serve: Serve, person: Person) -> None:
    go = asyncio.Event()

    async def slowly(_: Any) -> Any:
        await go.wait()
        return [assistant_message("At last.")]

    async with serve(ScriptedModel([ModelStep.respond(slowly)]), max_runs=1):
        _, first = await person.say("One")
        await first.until(lambda: "run" in first.names)
        waiting, second = await person.say("Two")
        assert (await person.run(waiting.run_id)).status == "queued"
        await person.ask(chat.RUN_CANCEL, run_id=waiting.run_id)
        await second.done()
        go.set()
        await first.done()
    second.assert_contiguous()
    assert second.names == ["run", "done"]
    assert second.of("done")[0]["status"] == "cancelled"
    assert first.of("done")[0]["status"] == "completed"
