"""Calls that wait for approval: requested, decided one by one, and preserved across restarts."""

import asyncio
from typing import Any

import pytest
from agents.testing import ScriptedModel, assistant_message, function_call

from agent_service.worker import Worker
from contracts import chat, notes
from contracts.errors import NotFound, ValidationFailed
from contracts.ids import new_id
from standalone.testing import SLOW_SECONDS

from .people import Person, ReceivedEvents, Serve


def deleting(*notes_: notes.Note, and_create: str | None = None) -> list[Any]:
    """An answer that deletes these notes; its calls are `d0`, `d1` …"""
    calls = [function_call("delete_note", {"note_id": note.id}, call_id=f"d{i}") for i, note in enumerate(notes_)]
    return [*calls, *([function_call("create_note", {"title": and_create}, call_id="c0")] if and_create else [])]


async def until_waiting(
    person: Person, message: str = "Delete it", **fields: Any
) -> tuple[chat.RunStarted, ReceivedEvents]:
    """Sends the message, and returns when the run waits for approval."""
    started, received = await person.say(message, **fields)
    await received.until(lambda: received.of("approval_required"))
    await person.until_run(started.run_id, "waiting")
    return started, received


async def decide(person: Person, run_id: str, *decisions: dict[str, Any]) -> chat.Run:
    return await person.ask(chat.RUN_DECIDE, run_id=run_id, decisions=list(decisions))


async def titles(person: Person) -> list[str]:
    return sorted(note.title for note in (await person.ask(notes.LIST)).notes)


async def test_a_delete_waits_until_it_is_allowed(serve: Serve, person: Person) -> None:
    note = await person.note("Old")
    model = ScriptedModel([deleting(note, and_create="New"), [assistant_message("Gone.")]])
    async with serve(model) as worker:
        started, received = await until_waiting(person)
        run = await person.run(started.run_id)
        assert [(call.call_id, call.name) for call in run.pending] == [("d0", "delete_note")]
        assert await titles(person) == ["New", "Old"]  # what requires no approval is done
        await until_free(worker)
        assert (await person.conversation(started.conversation_id)).active_run_id == started.run_id
        await decide(person, started.run_id, {"call_id": "d0", "approve": True})
        await received.done()
        assert await titles(person) == ["New"]
    received.assert_contiguous()
    assert received.of("approval_required") == [
        {"calls": [{"call_id": "d0", "name": "delete_note", "arguments": {"note_id": note.id}}]}
    ]
    assert received.of("approval_decided") == [{"call_id": "d0", "approve": True, "by": "user"}]
    assert [(done["call_id"], done["status"]) for done in received.of("tool_done")] == [("c0", "ok"), ("d0", "ok")]
    assert received.names.index("approval_decided") < len(received.names) - received.names[::-1].index("tool_done")
    assert "restart" not in received.names
    assert len(model.calls) == 2
    states = [signal["status"] for signal in person.signals if signal["type"] == "run_changed"]
    assert states[0] in ("queued", "running")  # queued if the worker was just claiming
    assert states[1:] == ["waiting", "running", "completed"]


async def until_free(worker: Worker) -> None:
    tasks = [active.task for active in worker._active.values()]
    if tasks:
        await asyncio.wait(tasks, timeout=SLOW_SECONDS)
    assert not worker._active


async def test_a_refusal_with_its_reason_reaches_the_model(serve: Serve, person: Person) -> None:
    note = await person.note("Dear")
    model = ScriptedModel([deleting(note), [assistant_message("I left it.")]])
    async with serve(model):
        started, received = await until_waiting(person)
        await decide(person, started.run_id, {"call_id": "d0", "approve": False, "reason": "I still need it"})
        await received.done()
        assert await titles(person) == ["Dear"]
        (call,) = (await person.conversation(started.conversation_id)).messages[1].tool_calls
    received.assert_contiguous()
    assert received.of("approval_decided") == [{"call_id": "d0", "approve": False, "by": "user"}]
    assert received.of("tool_done")[0]["status"] == call.status == "denied"
    assert model.last_call is not None
    assert "I still need it" in model.last_call.input[-1]["output"]


async def test_several_calls_are_decided_one_by_one(serve: Serve, person: Person) -> None:
    one, two, three = [await person.note(title) for title in ("One", "Two", "Three")]
    model = ScriptedModel([deleting(one, two, three), [assistant_message("Done.")]])
    async with serve(model):
        started, received = await until_waiting(person)
        await decide(person, started.run_id, {"call_id": "d1", "approve": True})
        await received.until(lambda: received.of("tool_done"))
        assert await titles(person) == ["One", "Three"]
        run = await person.until_run(started.run_id, "waiting")
        assert [call.call_id for call in run.pending] == ["d0", "d2"]
        assert len(model.calls) == 1
        await decide(person, started.run_id, {"call_id": "d0", "approve": False}, {"call_id": "d2", "approve": True})
        await received.done()
        assert await titles(person) == ["One"]
    received.assert_contiguous()
    assert received.names.count("approval_required") == 1
    assert [done["call_id"] for done in received.of("approval_decided")] == ["d1", "d0", "d2"]


async def test_decisions_as_quick_as_the_question(
    serve: Serve, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes effect as soon as the event is received, whatever the worker does; no poll is needed."""
    monkeypatch.setattr("agent_service.worker.worker.POLL_SECONDS", 10 * SLOW_SECONDS)
    made = [await person.note(f"N{number}") for number in range(5)]
    async with serve(ScriptedModel([deleting(*made), [assistant_message("Done.")]])):
        started, received = await person.say("Delete them")
        await received.until(lambda: received.of("approval_required"))
        for number in range(5):
            await decide(person, started.run_id, {"call_id": f"d{number}", "approve": True})
        await received.done()
        assert await titles(person) == []
    received.assert_contiguous()
    assert len(received.of("tool_done")) == 5


async def test_allowed_for_this_conversation(serve: Serve, person: Person) -> None:
    one, two, three = [await person.note(title) for title in ("One", "Two", "Three")]
    model = ScriptedModel(
        [
            *(deleting(one), [assistant_message("One gone.")]),
            *(deleting(two), [assistant_message("Two gone.")]),
            deleting(three),
        ]
    )
    async with serve(model):
        started, received = await until_waiting(person)
        await decide(person, started.run_id, {"call_id": "d0", "approve": True, "remember": "conversation"})
        await received.done()
        _, second = await person.talk("And that", conversation_id=started.conversation_id)
        assert "approval_required" not in second.names
        elsewhere, _ = await until_waiting(person)
        assert await titles(person) == ["Three"]
        await person.ask(chat.RUN_CANCEL, run_id=elsewhere.run_id)


async def test_allowed_for_the_conversation_are_those_that_wait_already_too(serve: Serve, person: Person) -> None:
    first, second, third = [await person.note(title) for title in ("A", "B", "C")]
    model = ScriptedModel([deleting(first, second, third), [assistant_message("Gone.")]])
    async with serve(model):
        started, received = await until_waiting(person)
        remembered = {"call_id": "d0", "approve": True, "remember": "conversation"}
        await decide(person, started.run_id, remembered, {"call_id": "d2", "approve": False})
        await received.done()
        assert await titles(person) == ["C"]
    received.assert_contiguous()
    assert [(d["call_id"], d["approve"]) for d in received.of("approval_decided")] == [
        ("d0", True),
        ("d1", True),
        ("d2", False),
    ]


@pytest.mark.parametrize(("policy", "waits"), [("always", True), ("destructive", False), ("never", False)])
async def test_policies(serve: Serve, person: Person, policy: chat.ApprovalPolicy, waits: bool) -> None:
    calls = [function_call("list_notes", {}, call_id="l0"), function_call("create_note", {"title": "A"}, call_id="c0")]
    async with serve(ScriptedModel([calls, [assistant_message("Done.")]])):
        started, received = await person.say("Make it", approval=policy)
        if waits:
            await received.until(lambda: received.of("approval_required"))
            assert [call["call_id"] for call in received.of("approval_required")[0]["calls"]] == ["c0"]
            await decide(person, started.run_id, {"call_id": "c0", "approve": True})
        await received.done()
        assert ("approval_required" in received.names) == waits
        assert await titles(person) == ["A"]


async def test_never_means_deletes_too(serve: Serve, person: Person) -> None:
    note = await person.note("Old")
    async with serve(ScriptedModel([deleting(note), [assistant_message("Gone.")]])):
        _, received = await person.talk("Delete it", approval="never")
        assert await titles(person) == []
    assert "approval_required" not in received.names


async def test_the_users_own_instructions_reach_the_model(serve: Serve, person: Person) -> None:
    model = ScriptedModel([[assistant_message("Hi.")]])
    async with serve(model):
        await person.talk("Hello", instructions="Answer in rhymes.")
    assert model.last_call is not None
    assert "Answer in rhymes." in str(model.last_call.system_instructions)


async def test_what_cannot_be_decided(serve: Serve, person: Person, stranger: Person) -> None:
    one, two = await person.note("One"), await person.note("Two")
    async with serve(ScriptedModel([deleting(one, two, and_create="New"), [assistant_message("Done.")]])):
        started, received = await until_waiting(person)
        run_id, yes = started.run_id, {"call_id": "d0", "approve": True}
        with pytest.raises(NotFound):
            await decide(stranger, run_id, yes)
        with pytest.raises(NotFound):
            await decide(person, new_id(), yes)
        with pytest.raises(NotFound):  # and the good one beside it does not count
            await decide(person, run_id, yes, {"call_id": "nonsense", "approve": True})
        for wrong in ([{"call_id": "c0", "approve": True}], [yes, yes]):  # requires no approval; decided twice
            with pytest.raises(ValidationFailed):
                await decide(person, run_id, *wrong)
        assert len((await person.run(run_id)).pending) == 2
        await decide(person, run_id, yes)
        with pytest.raises(ValidationFailed) as refused:
            await decide(person, run_id, {"call_id": "d1", "approve": True}, yes)
        assert refused.value.details["errors"][0]["field"] == "decisions.1.call_id"
        await decide(person, run_id, {"call_id": "d1", "approve": False})
        await received.done()
        with pytest.raises(ValidationFailed):
            await decide(person, run_id, {"call_id": "d1", "approve": True})


async def test_stopped_while_it_waits(serve: Serve, person: Person) -> None:
    note = await person.note("Old")
    model = ScriptedModel([deleting(note), [assistant_message("Hello.")]])
    async with serve(model):
        started, received = await until_waiting(person)
        await person.ask(chat.RUN_CANCEL, run_id=started.run_id)
        await received.done()
        run = await person.run(started.run_id)
        assert (run.status, run.pending) == ("cancelled", [])
        with pytest.raises(ValidationFailed):
            await decide(person, started.run_id, {"call_id": "d0", "approve": True})
        await person.ask(chat.RUN_CANCEL, run_id=started.run_id)
        assert await titles(person) == ["Old"]
        await person.talk("Hello", conversation_id=started.conversation_id)
    received.assert_contiguous()
    assert received.of("done")[0]["status"] == "cancelled"
    assert model.last_call is not None
    (output,) = [item for item in model.last_call.input if item.get("type") == "function_call_output"]
    assert (output["call_id"], "ended before" in output["output"]) == ("d0", True)
    assert "restart" not in received.names


async def test_the_wait_outlives_the_service(serve: Serve, person: Person) -> None:
    note = await person.note("Old")
    async with serve(ScriptedModel([deleting(note)])):
        started, received = await until_waiting(person)
    async with serve(ScriptedModel([[assistant_message("Gone.")]])):
        assert (await person.run(started.run_id)).status == "waiting"
        await decide(person, started.run_id, {"call_id": "d0", "approve": True})
        await received.done()
        assert await titles(person) == []
        replayed: chat.RebuiltEvents = await person.ask(chat.RUN_REPLAY, run_id=started.run_id)
    received.assert_contiguous()
    assert "restart" not in received.names
    names = [event.event for event in replayed.events]
    wanted = ["tool_call", "approval_required", "approval_decided", "tool_done", "notes_changed"]
    assert names == ["run", *wanted, "message", "done"]


async def test_the_demo_model_reports_a_denied_delete(serve: Serve, person: Person) -> None:
    await person.note("Shopping list")
    async with serve(demo_token_delay_ms=0):
        started, received = await until_waiting(person, "Delete the note Shopping list")
        (call,) = received.of("approval_required")[0]["calls"]
        await decide(person, started.run_id, {"call_id": call["call_id"], "approve": False, "reason": "keep it"})
        await received.done()
    text = received.of("message")[-1]["text"]
    assert "could not" in text or "not allow" in text
    assert "trash" not in text
    assert await titles(person) == ["Shopping list"]
