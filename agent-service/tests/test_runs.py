"""A run from the message to `done`."""

import asyncio

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

from contracts import chat, notes
from contracts.errors import NotFound, RunActive
from contracts.ids import new_id

from .people import Person, Serve


async def test_an_answer_is_streamed_and_stored(serve: Serve, person: Person) -> None:
    async with serve(ScriptedModel([[assistant_message("Hello, Ada.")]])):
        started, received = await person.talk("Hello there,\nassistant")
    received.assert_contiguous()
    assert received.names == ["run", "token", "message", "done"]
    assert received.text == "Hello, Ada."
    assert received.of("run")[0]["conversation_id"] == started.conversation_id
    assert received.of("done")[0]["status"] == "completed"
    async with serve(ScriptedModel([])):
        run = await person.run(started.run_id)
        talk = await person.conversation(started.conversation_id)
    assert (run.status, run.attempt, run.last_event_id) == ("completed", 1, "1.4")
    assert talk.title == "Hello there, assistant"
    assert [(message.role, message.text) for message in talk.messages] == [
        ("user", "Hello there,\nassistant"),
        ("assistant", "Hello, Ada."),
    ]
    assert talk.active_run_id is None
    assert [message.usage for message in talk.messages] == [None, run.usage]
    assert [message.model is None for message in talk.messages] == [True, False]


async def test_a_tool_call_is_a_user_action(serve: Serve, person: Person) -> None:
    call = function_call("create_note", {"title": "Shopping", "body": "milk"}, call_id="c1")
    async with serve(ScriptedModel([[call], [assistant_message("Done.")]])):
        started, received = await person.talk("Make a note")
        (note,) = (await person.ask(notes.LIST)).notes
        talk = await person.conversation(started.conversation_id)
    received.assert_contiguous()
    expected = ["run", "tool_call", "tool_args", "tool_done", "notes_changed", "token", "message", "done"]
    assert received.names == expected
    (done,) = received.of("tool_done")
    assert (done["status"], done["arguments"]["title"], done["result"]["id"]) == ("ok", "Shopping", note.id)
    assert received.of("notes_changed") == [{"op": "create", "id": note.id, "version": 1, "call_id": "c1"}]
    assert (note.title, note.updated_by.kind, note.updated_by.run_id) == ("Shopping", "agent", started.run_id)
    (called,) = talk.messages[1].tool_calls
    assert (called.name, called.status, called.arguments) == ("create_note", "ok", done["arguments"])


async def test_the_model_remembers_the_conversation(serve: Serve, person: Person) -> None:
    model = ScriptedModel([[assistant_message("Noted.")], [assistant_message("Blue.")]])
    async with serve(model):
        started, _ = await person.talk("My colour is blue")
        await person.talk("Which is it?", conversation_id=started.conversation_id)
    assert model.last_call is not None
    said = [item["content"] for item in model.last_call.input]
    assert said == ["My colour is blue", "Noted.", "Which is it?"]


async def test_the_same_request_starts_once(serve: Serve, person: Person) -> None:
    model = ScriptedModel([[assistant_message("Once.")]])
    async with serve(model):
        first, _ = await person.talk("Hello", client_request_id="r1")
        again = await person.ask(chat.RUN_START, run_id=new_id(), message="Hello", client_request_id="r1")
        assert again == first
        page = await person.ask(chat.CONVERSATION_LIST)
    assert len(page.conversations) == 1
    assert len(model.calls) == 1


async def test_one_run_at_a_time_in_a_conversation(serve: Serve, person: Person) -> None:
    go = asyncio.Event()

    async def slowly(_: object) -> list[object]:
        await go.wait()
        return [assistant_message("At last.")]

    async with serve(ScriptedModel([ModelStep.respond(slowly)])):
        started, received = await person.say("Think")
        with pytest.raises(RunActive) as refused:
            await person.say("And?", conversation_id=started.conversation_id)
        assert refused.value.details["run_id"] == started.run_id
        assert (await person.conversation(started.conversation_id)).active_run_id == started.run_id
        go.set()
        await received.done()


async def test_nobody_reads_what_is_another_users(serve: Serve, person: Person, stranger: Person) -> None:
    async with serve(ScriptedModel([[assistant_message("Secret.")]])):
        started, _ = await person.talk("Hello")
        run, talk = {"run_id": started.run_id}, {"conversation_id": started.conversation_id}
        for operation, fields in (
            (chat.RUN_GET, run),
            (chat.RUN_CANCEL, run),
            (chat.RUN_REPLAY, run),
            (chat.CONVERSATION_GET, talk),
            (chat.CONVERSATION_UPDATE, talk),
            (chat.CONVERSATION_DELETE, talk),
            (chat.RUN_START, talk | {"run_id": new_id(), "message": "Hi"}),
            (chat.RUN_START, {"run_id": started.run_id, "message": "Hi"}),
        ):
            with pytest.raises(NotFound):
                await stranger.ask(operation, **fields)
        assert (await stranger.ask(chat.CONVERSATION_LIST)).conversations == []


async def test_what_was_taken_back_stays_known(serve: Serve, person: Person, stranger: Person) -> None:
    async with serve(ScriptedModel([[assistant_message("Done.")]])):
        started, _ = await person.talk("Make a note")
        with pytest.raises(NotFound):
            await stranger.ask(chat.RUN_UNDONE, run_id=started.run_id)
        assert [message.undone for message in (await person.conversation(started.conversation_id)).messages] == [
            False
        ] * 2
        person.signals.clear()
        for _ in range(2):
            await person.ask(chat.RUN_UNDONE, run_id=started.run_id)
        signal = {"type": "conversation_changed", "op": "update", "id": started.conversation_id}
        await person.until_signal(signal)
        talk = await person.conversation(started.conversation_id)
    assert [(message.role, message.undone) for message in talk.messages] == [("user", False), ("assistant", True)]


async def test_the_demo_model_really_makes_notes(serve: Serve, person: Person) -> None:
    async with serve(demo_token_delay_ms=0):
        _, received = await person.talk("Create a note titled Shopping list with milk and eggs")
        (note,) = (await person.ask(notes.LIST)).notes
    received.assert_contiguous()
    assert received.of("run")[0]["mode"] == "demo"
    assert note.title == "Shopping list"
    assert "milk" in note.preview
