"""The limits of users, runs, tools and queues."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from asyncpg.pool import Pool

from agent_service.repository import RunLimitRepository, RunRepository
from agent_service.repository.runs import Begun, NewRun
from agent_service.settings import Settings
from contracts import chat, notes
from contracts.errors import RateLimited
from contracts.ids import new_id
from servicekit import database
from standalone.postgres import Postgres

from .people import Person, Serve


@pytest.fixture
async def pool(postgres: Postgres) -> AsyncGenerator[Pool]:
    async with database.pool(postgres.dsn("chat"), "chat", size=2) as opened:
        yield opened


def hello(count: int) -> ScriptedModel:
    return ScriptedModel([[assistant_message("Hello.")] for _ in range(count)])


async def test_so_many_answers_at_a_time(serve: Serve, person: Person, stranger: Person) -> None:
    go = asyncio.Event()

    async def slowly(_: Any) -> Any:
        await go.wait()
        return [assistant_message("At last.")]

    steps = [ModelStep.respond(slowly) for _ in range(4)]
    async with serve(ScriptedModel(steps), runs_per_user=2):
        said = await asyncio.gather(*(person.say(f"Go {n}") for n in range(6)), return_exceptions=True)
        begun = [one for one in said if not isinstance(one, BaseException)]
        refused = [one for one in said if isinstance(one, RateLimited)]
        assert (len(begun), len(refused)) == (2, 4)
        assert refused[0].details["retry_after"] >= 1
        _, other = await stranger.say("Go")
        go.set()
        for received in (begun[0][1], begun[1][1], other):
            await received.done()
        await person.talk("Once more")


async def test_one_user_leaves_places_for_others(serve: Serve, person: Person, stranger: Person) -> None:
    """All answers that one user may have in progress, and a newcomer's is not queued behind them."""
    go = asyncio.Event()

    async def slowly(_: Any) -> Any:
        await go.wait()
        return [assistant_message("At last.")]

    steps = [ModelStep.respond(slowly), ModelStep.respond(slowly), [assistant_message("Hello.")]]
    async with serve(ScriptedModel(steps), runs_per_user=2, max_runs=3):
        begun = [await person.say(f"Go {n}") for n in range(2)]
        for _, received in begun:
            await received.until(lambda received=received: received.of("run"))
        _, other = await stranger.talk("Hello")
        assert other.text == "Hello."
        go.set()
        for _, received in begun:
            await received.done()


def test_one_user_cannot_take_all_places_by_default() -> None:
    fields = Settings.model_fields
    assert fields["runs_per_user"].default * 4 <= fields["max_runs"].default


@pytest.mark.parametrize("limit", ["runs_per_user", "runs_per_hour"])
async def test_two_replicas_allow_no_more_than_one(
    serve: Serve, person: Person, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many requests at once through both services. Starting is slow, so that they overlap."""
    insert = RunRepository._insert

    async def slowly(self: RunRepository, connection: Any, *more: Any) -> Begun:
        begun = await insert(self, connection, *more)
        await connection.execute("SELECT pg_sleep(0.02)")
        return begun

    monkeypatch.setattr(RunRepository, "_insert", slowly)
    go = asyncio.Event()

    async def hello_at_last(_: Any) -> Any:
        await go.wait()
        return [assistant_message("Hello.")]

    def model() -> ScriptedModel:
        return ScriptedModel([ModelStep.respond(hello_at_last) for _ in range(3)])

    async with serve(model(), **{limit: 3}), serve(model(), **{limit: 3}):
        said = await asyncio.gather(*(person.say(f"Go {n}") for n in range(12)), return_exceptions=True)
        begun = [one for one in said if not isinstance(one, BaseException)]
        assert all(isinstance(one, RateLimited) for one in said if isinstance(one, BaseException)), said
        go.set()
        for _, received in begun:
            await received.done()
    assert len(begun) == 3


async def test_so_many_answers_in_an_hour(serve: Serve, person: Person, pool: Pool) -> None:
    async with serve(hello(3), runs_per_hour=2):
        first, _ = await person.talk("One", client_request_id="r1")
        await person.ask(chat.CONVERSATION_DELETE, conversation_id=first.conversation_id)  # gains nothing
        await person.talk("Two")
        with pytest.raises(RateLimited) as refused:
            await person.say("Three")
        assert 3500 < refused.value.details["retry_after"] <= 3600
        again = await person.ask(chat.RUN_START, run_id=new_id(), message="One", client_request_id="r1")
        assert again == first
        await pool.execute("UPDATE runs SET created_at = created_at - interval '1 hour' WHERE id = $1", first.run_id)
        await person.talk("Three")


async def test_nothing_is_to_be_taken_back_for_an_answer_that_the_limit_refuses(
    serve: Serve, person: Person, pool: Pool
) -> None:
    async with serve(hello(3), runs_per_hour=2):
        first, _ = await person.talk("One", client_request_id="r1")
        await person.talk("Two", conversation_id=first.conversation_id)
        talk = await person.ask(chat.CONVERSATION_GET, conversation_id=first.conversation_id)
        replaced = {"conversation_id": talk.id, "message_id": talk.messages[0].id, "edited": True}
        with pytest.raises(RateLimited) as refused:
            await person.ask(chat.RUN_REPLACED, **replaced)
        assert 3500 < refused.value.details["retry_after"] <= 3600
        # a repetition of what has begun already is not refused
        assert (await person.ask(chat.RUN_REPLACED, **replaced, client_request_id="r1")).run_ids == []
        await pool.execute("UPDATE runs SET created_at = created_at - interval '1 hour' WHERE id = $1", first.run_id)
        assert first.run_id in (await person.ask(chat.RUN_REPLACED, **replaced)).run_ids


async def test_who_waits_for_the_user_does_not_count(serve: Serve, person: Person) -> None:
    note = await person.note("Old")
    call = function_call("delete_note", {"note_id": note.id}, call_id="d0")
    async with serve(ScriptedModel([[call], [assistant_message("Hi.")]]), runs_per_user=1):
        started, received = await person.say("Delete it")
        await person.until_run(started.run_id, "waiting")
        await person.talk("Hello")
        await person.ask(chat.RUN_CANCEL, run_id=started.run_id)
        await received.done()


async def test_a_model_that_never_ends_is_stopped(
    serve: Serve, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit includes the attempts after the user's decisions."""
    monkeypatch.setattr("agent_service.worker.execution.MAX_TURNS", 3)
    steps = [[function_call("create_note", {"title": f"N{n}"}, call_id=f"c{n}")] for n in range(6)]
    model = ScriptedModel(steps)
    async with serve(model):
        started, received = await person.say("Go on for ever", approval="always")
        for number in range(3):
            await received.until(lambda number=number: len(received.of("approval_required")) > number)
            decision = {"call_id": f"c{number}", "approve": True}
            await person.ask(chat.RUN_DECIDE, run_id=started.run_id, decisions=[decision])
        await received.done()
        assert len((await person.ask(notes.LIST)).notes) == 3
    received.assert_contiguous()
    assert received.of("run_error")[0]["code"] == "max_turns"
    assert len(model.calls) == 3


async def test_a_tool_that_hangs_is_given_up(serve: Serve, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hanging(*_: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr("agent_service.tools.calls.TOOL_SECONDS", 0.2)
    monkeypatch.setattr("agent_service.tools.reading.send", hanging)
    model = ScriptedModel([[function_call("list_notes", {}, call_id="l0")], [assistant_message("No answer.")]])
    async with serve(model):
        _, received = await person.talk("List them")
    (done,) = received.of("tool_done")
    assert (done["status"], done["result"]["error"]["code"]) == ("error", "timeout")
    assert received.of("done")[0]["status"] == "completed"


async def queued(person: Person, pool: Pool) -> NewRun:
    """A run without a job."""
    new = NewRun(new_id(), person.actor.user_id, "ada", None, None, None, "Hello", "Hello", "never", "")
    await RunRepository(pool).start(new, RunLimitRepository(1, 1, 10))
    return new


@pytest.mark.parametrize(
    ("aged", "said"),
    [
        ("created_at = now() - interval '11 minutes'", "No part of Inkstream was free"),
        ("attempt = 25", "however often it was tried"),
    ],
)
async def test_a_run_that_waited_or_failed_too_long_is_given_up(
    serve: Serve, person: Person, pool: Pool, aged: str, said: str
) -> None:
    async with serve(ScriptedModel([])):
        pass  # the schema is there
    new = await queued(person, pool)
    await pool.execute(f"UPDATE runs SET {aged} WHERE id = $1", new.id)
    received = await person.listen(new.id)
    model = hello(1)
    async with serve(model):
        await received.done()
        run = await person.run(new.id)
    received.assert_contiguous()
    assert run.status == "failed"
    assert said in received.of("run_error")[0]["message"]
    assert not model.calls
