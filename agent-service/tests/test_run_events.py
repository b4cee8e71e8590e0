"""The events that readers of a run receive: joined tokens, shortened results, and the same events rebuilt later."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import orjson
from agents import ModelSettings
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from nats.aio.client import Client
from nats.errors import ConnectionClosedError

from agent_service.stream import EventPublisher, RunPublisher, read_events
from contracts import chat, notes, subjects
from contracts.ids import new_id
from contracts.run_events import RESULT_MAX_BYTES, Done, EventId
from servicekit.background import LoopHealth
from servicekit.metrics import new_registry
from standalone.nats import Nats
from standalone.testing import SLOW_SECONDS, connection, until

from .people import Person, Serve


async def test_tokens_of_one_moment_are_joined(serve: Serve, person: Person) -> None:
    words = [f"w{number} " for number in range(1000)]

    async def fast(_: Any) -> AsyncIterator[Any]:
        for word in words:
            yield SimpleNamespace(type="response.output_text.delta", delta=word)
        answer = ScriptedModel([[assistant_message("".join(words))]])
        async for event in answer.stream_response(
            None, [], ModelSettings(), [], None, [], None, previous_response_id=None, conversation_id=None, prompt=None
        ):
            if event.type == "response.completed":
                yield event

    async with serve(ScriptedModel([ModelStep.stream(fast)])):
        _, received = await person.talk("Quickly")
    received.assert_contiguous()
    assert received.text == "".join(words)
    assert received.names.count("token") < 20
    assert received.of("done")[0]["status"] == "completed"


async def test_a_long_result_is_cut_for_the_page_only(serve: Serve, person: Person) -> None:
    note = await person.note("Long", "ü" * 20_000)
    read = function_call("read_note", {"note_id": note.id}, call_id="c1")
    model = ScriptedModel([[read], [assistant_message("Read.")]])
    async with serve(model, context_window=200_000):
        started, received = await person.talk("Read it")
        replayed: chat.RebuiltEvents = await person.ask(chat.RUN_REPLAY, run_id=started.run_id)
    (done,) = received.of("tool_done")
    assert done["truncated"] is True
    assert len(orjson.dumps(done["result"])) <= RESULT_MAX_BYTES
    assert done["result"].startswith('{"id":')
    assert model.last_call is not None
    (output,) = [item for item in model.last_call.input if item.get("type") == "function_call_output"]
    assert orjson.loads(output["output"])["body"] == "ü" * 20_000
    assert [event.event for event in replayed.events] == ["run", "tool_call", "tool_done", "message", "done"]
    assert [event.id for event in replayed.events] == [1, 2, 3, 4, 5]
    assert replayed.events[2].data == done
    assert replayed.events[-1].data == received.of("done")[0]


async def test_a_replay_of_a_run_that_goes_on_is_empty(serve: Serve, person: Person) -> None:
    go = asyncio.Event()

    async def slowly(_: Any) -> Any:
        await go.wait()
        return [assistant_message("At last.")]

    async with serve(ScriptedModel([ModelStep.respond(slowly)])):
        started, received = await person.say("Think")
        assert (await person.ask(chat.RUN_REPLAY, run_id=started.run_id)).events == []
        go.set()
        await received.done()


async def test_half_characters_and_nul_are_harmless(serve: Serve, person: Person) -> None:
    create = function_call("create_note", '{"title": "a\\u0000b"}', call_id="c1")
    async with serve(ScriptedModel([[create], [assistant_message("Smile \ud83d\ude00 \ud83d nul \x00 end")]])):
        started, received = await person.talk("Odd")
        talk = await person.conversation(started.conversation_id)
    received.assert_contiguous()
    assert received.of("tool_done")[0]["result"]["error"]["code"] == "validation_failed"
    assert talk.messages[-1].text.startswith("Smile 😀")
    assert "\x00" not in talk.messages[-1].text


async def test_signals_tell_other_tabs(serve: Serve, person: Person) -> None:
    async with serve(ScriptedModel([[assistant_message("Hello.")]])):
        started, _ = await person.talk("Hello")
        await person.ask(chat.CONVERSATION_DELETE, conversation_id=started.conversation_id)
        await person.nc.flush()
    seen = [(signal["type"], signal.get("status") or signal.get("op")) for signal in person.signals]
    seen = [("run_changed", "running") if one == ("run_changed", "queued") else one for one in seen]
    assert sorted(seen) == [
        ("conversation_changed", "create"),
        ("conversation_changed", "delete"),
        ("run_changed", "completed"),
        ("run_changed", "running"),
    ]


async def test_events_are_published_until_they_are_stored(
    serve: Serve, person: Person, broker: Nats, notes_service: None
) -> None:
    """The first publishes are lost, as when the broker connection breaks."""
    del notes_service
    received: list[int] = []
    async with serve(ScriptedModel([])), connection(broker, "agent-service") as nc:
        forgetful = _Forgetful(nc, losses=3)
        async with EventPublisher(forgetful, LoopHealth(new_registry())).running() as events:  # type: ignore[arg-type]
            run_id = new_id()
            async with RunPublisher(events, person.actor.user_id, run_id, EventId(1, 0)).publishing() as stream:
                for _ in range(3):
                    stream.token("x")
                    await asyncio.sleep(0)
                    stream.emit(Done(status="completed"))
                async with asyncio.timeout(SLOW_SECONDS):
                    await stream.flush()
                received.append(stream.last.number)
            stored = await read_events(nc, person.actor.user_id, run_id, 1, received[0])
    assert forgetful.lost == 3
    assert received[0] >= 4
    assert [event.id for event in stored] == [(1, number) for number in range(1, received[0] + 1)]


class _Forgetful:
    """A connection that loses the first publishes silently, and fails one."""

    def __init__(self, nc: Client, losses: int) -> None:
        self._nc = nc
        self._losses = losses
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nc, name)

    def publish_now(self, *args: Any, **kwargs: Any) -> None:
        if self.lost < self._losses:
            self.lost += 1
            if self.lost == 2:
                raise ConnectionClosedError
            return
        self._nc.publish_now(*args, **kwargs)


async def test_notes_are_found_read_and_changed_with_every_tool(serve: Serve, person: Person) -> None:
    note = await person.note("Shopping", "milk\neggs <b>&</b>")

    calls = itertools.count(1)

    def call(name: str, **arguments: Any) -> list[Any]:
        return [function_call(name, arguments, call_id=f"{name} {next(calls)}")]

    steps = [
        call("list_notes"),
        call("search_notes", query="eggs"),
        call("read_note", note_id=note.id),
        call("edit_note", note_id=note.id, find="milk", replace="oat milk", append="butter"),
        call("edit_note", note_id=note.id, find="oat"),
        call("edit_note", note_id=note.id, find="nowhere", replace="x"),
        call("update_note", note_id=note.id, title="Groceries", tags=["food"], pinned=True),
        call("delete_note", note_id=note.id),
        call("read_note", note_id="not-an-id"),
        call("no_such_tool"),
        [assistant_message("All done.")],
    ]
    async with serve(ScriptedModel(steps)):
        _, received = await person.talk("Do it all", approval="never")
        found = await person.ask(notes.GET, id=note.id)
    received.assert_contiguous()
    results = {done["call_id"]: done["result"] for done in received.of("tool_done")}
    assert results["list_notes 1"]["notes"][0]["id"] == note.id
    assert "eggs" in results["search_notes 2"]["notes"][0]["snippet"]
    assert "<mark>" not in str(results)
    assert results["read_note 9"]["error"]["code"] == "validation_failed"
    assert "not in the note" in results["edit_note 6"]["error"]["message"]
    assert results["delete_note 8"]["deleted"] is True
    assert (found.title, found.tags, found.pinned) == ("Groceries", ["food"], True)
    assert found.deleted_at is not None
    assert [event["op"] for event in received.of("notes_changed")] == ["update", "update", "update", "delete"]
    assert received.of("done")[0]["status"] == "completed"


async def test_the_events_of_a_finished_run_are_forgotten(serve: Serve, person: Person, broker: Nats) -> None:
    model = ScriptedModel([[function_call("list_notes", {}, call_id="l0")], [assistant_message("None.")]])
    async with serve(model, keep_events_s=0.1), connection(broker, "admin") as nc:
        started, received = await person.talk("What have I?")
        subject = subjects.run_log(person.actor.user_id, started.run_id)

        async def forgotten() -> bool:
            info = await nc.jetstream().stream_info("RUN_EVENTS", subjects_filter=subject)
            return not info.state.subjects

        await until("a run whose events are forgotten", forgotten)
        replayed: chat.RebuiltEvents = await person.ask(chat.RUN_REPLAY, run_id=started.run_id)
    received.assert_contiguous()
    assert [event.event for event in replayed.events] == ["run", "tool_call", "tool_done", "message", "done"]
    assert [event.id for event in replayed.events] == list(range(1, 6))
