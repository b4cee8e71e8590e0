"""An edited message and another answer begin branches; the model sees its own branch, the user every one."""

import asyncio
from typing import Any

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

from agent_service.errors import ModelFailed
from contracts import chat, subjects
from contracts.errors import NotFound, RunActive, StaleBranch, ValidationFailed
from contracts.ids import new_id
from contracts.operation import Operation

from .people import Person, ReceivedEvents, Serve


def answers(*texts: str) -> ScriptedModel:
    return ScriptedModel([[assistant_message(text)] for text in texts])


async def fork(person: Person, operation: Operation[Any, Any], **fields: Any) -> tuple[chat.RunStarted, ReceivedEvents]:
    """Like `talk`, for an edited message or another answer."""
    run_id, received = new_id(), ReceivedEvents()
    await person.nc.subscribe(subjects.user_live(person.actor.user_id, run_id), cb=received.take)
    await person.nc.flush()
    started = await person.ask(operation, run_id=run_id, username="ada", **fields)
    return started, await received.done()


def seen(model: ScriptedModel) -> list[str]:
    assert model.last_call is not None
    return [str(item["content"]) for item in model.last_call.input if "content" in item]


def texts(talk: chat.Conversation) -> list[str]:
    return [message.text for message in talk.messages]


async def test_an_edited_message_begins_a_branch(serve: Serve, person: Person) -> None:
    model = answers("Noted.", "Blue.", "Green.", "So it was.")
    async with serve(model):
        started, _ = await person.talk("My colour is blue")
        talk = {"conversation_id": started.conversation_id}
        await person.talk("Which is it?", **talk)
        before = await person.conversation(started.conversation_id)
        assert [message.siblings for message in before.messages] == [[], [], [], []]
        first = before.messages[0]
        edited, received = await fork(person, chat.RUN_EDIT, **talk, message_id=first.id, message="My colour is green")
        assert edited.conversation_id == started.conversation_id
        assert seen(model) == ["My colour is green"]
        now = await person.conversation(started.conversation_id)
        assert texts(now) == ["My colour is green", "Green."]
        assert now.messages[0].siblings == [first.id, now.messages[0].id]
        assert now.current_message_id == now.messages[-1].id
        await person.talk("Really?", **talk)
        assert seen(model) == ["My colour is green", "Green.", "Really?"]
    received.assert_contiguous()


async def test_another_answer_to_the_same_message(serve: Serve, person: Person) -> None:
    call = function_call("list_notes", {}, call_id="l0")
    model = ScriptedModel(
        [[assistant_message("Hi.")], [call], [assistant_message("None.")], [assistant_message("You have none.")]]
    )
    async with serve(model):
        started, _ = await person.talk("Hello")
        talk = {"conversation_id": started.conversation_id}
        await person.talk("What have I?", **talk)
        before = await person.conversation(started.conversation_id)
        _, received = await fork(person, chat.RUN_REGENERATE, **talk, message_id=before.messages[-1].id)
        now = await person.conversation(started.conversation_id)
    assert seen(model) == ["Hello", "Hi.", "What have I?"]
    assert not [item for item in model.last_call.input if item.get("type")]  # nothing of the other answer
    assert texts(now) == ["Hello", "Hi.", "What have I?", "You have none."]
    assert now.messages[-1].siblings == [before.messages[3].id, now.messages[-1].id]
    assert now.messages[2].siblings == []
    received.assert_contiguous()


async def test_the_old_branch_stays_reachable(serve: Serve, person: Person) -> None:
    model = answers("One.", "Two.", "Other.", "Three.")
    async with serve(model):
        started, _ = await person.talk("First")
        talk = {"conversation_id": started.conversation_id}
        await person.talk("Second", **talk)
        old = await person.conversation(started.conversation_id)
        await fork(person, chat.RUN_EDIT, **talk, message_id=old.messages[0].id, message="Else")
        await person.ask(chat.CONVERSATION_UPDATE, **talk, current_message_id=old.messages[0].id)
        back = await person.conversation(started.conversation_id)
        assert texts(back) == ["First", "One.", "Second", "Two."]
        assert len(back.messages[0].siblings) == 2
        await person.talk("Third", **talk)
        assert seen(model) == ["First", "One.", "Second", "Two.", "Third"]
        for wrong in (new_id(), started.run_id):
            with pytest.raises(NotFound):
                await person.ask(chat.CONVERSATION_UPDATE, **talk, current_message_id=wrong)


async def test_of_two_messages_after_the_same_one_only_one_is_taken(serve: Serve, person: Person) -> None:
    async with serve(answers("One.", "Two.")):
        started, _ = await person.talk("First")
        talk = {"conversation_id": started.conversation_id}
        end = (await person.conversation(started.conversation_id)).current_message_id
        sent = [person.say(f"Second {tab}", **talk, parent_message_id=end) for tab in "ab"]
        results = await asyncio.gather(*sent, return_exceptions=True)
        refused = [result for result in results if isinstance(result, BaseException)]
        assert len(refused) == 1
        assert isinstance(refused[0], RunActive | StaleBranch)
        (taken,) = [result for result in results if not isinstance(result, BaseException)]
        await taken[1].done()
        assert len((await person.conversation(started.conversation_id)).messages) == 4


async def test_an_empty_conversation_takes_the_first_message_of_one_tab(serve: Serve, person: Person) -> None:
    async with serve(answers("One.")):
        empty = await person.ask(chat.CONVERSATION_CREATE)
        talk = {"conversation_id": empty.id}
        await person.talk("First", **talk, parent_message_id=None)
        with pytest.raises(StaleBranch):
            await person.ask(chat.RUN_START, run_id=new_id(), message="Mine", **talk, parent_message_id=None)


async def test_a_message_that_nothing_answered_is_remembered(serve: Serve, person: Person) -> None:
    model = answers("Hi.")
    refused = ModelStep.raise_error(ModelFailed("model_rejected", "No.", retryable=False))
    async with serve(ScriptedModel([refused])):
        started, received = await person.talk("Hello?")
        assert received.of("done")[0]["status"] == "failed"
    async with serve(model):
        await person.talk("Are you there?", conversation_id=started.conversation_id)
        assert seen(model) == ["Hello?", "Are you there?"]
    again = answers("Here.")
    async with serve(again):
        first = (await person.conversation(started.conversation_id)).messages[0]
        talk = {"conversation_id": started.conversation_id}
        await fork(person, chat.RUN_REGENERATE, **talk, message_id=first.id)
        assert seen(again) == ["Hello?"]
        assert texts(await person.conversation(started.conversation_id)) == ["Hello?", "Here."]


async def test_which_runs_another_version_replaces(serve: Serve, person: Person, stranger: Person) -> None:
    """All that follow the point where the new branch begins, on every branch."""
    async with serve(answers(*"abcdef")):
        first, _ = await person.talk("One")
        talk = {"conversation_id": first.conversation_id}
        second, _ = await person.talk("Two", **talk)
        messages = (await person.conversation(first.conversation_id)).messages
        again, _ = await fork(person, chat.RUN_REGENERATE, **talk, message_id=messages[3].id, client_request_id="again")
        third, _ = await person.talk("Three", **talk)

        async def replaced(message: int, *, edited: bool = False, key: str | None = None) -> list[str]:
            fields = {"message_id": messages[message].id, "edited": edited, "client_request_id": key}
            return (await person.ask(chat.RUN_REPLACED, **talk, **fields)).run_ids

        after_second = [third.run_id, again.run_id, second.run_id]
        assert await replaced(3) == after_second
        assert await replaced(2) == after_second
        assert await replaced(2, edited=True) == after_second
        assert await replaced(1) == [*after_second, first.run_id]
        assert await replaced(0, edited=True) == [*after_second, first.run_id]
        await person.ask(chat.RUN_UNDONE, run_id=again.run_id)
        assert await replaced(3) == [third.run_id, second.run_id]
        assert await replaced(3, key="again") == []  # this request has begun its run
        with pytest.raises(ValidationFailed):
            await replaced(1, edited=True)
        with pytest.raises(NotFound):
            await stranger.ask(chat.RUN_REPLACED, **talk, message_id=messages[0].id, edited=False)


async def test_a_message_goes_only_where_its_sender_has_seen_the_end(
    serve: Serve, person: Person, stranger: Person
) -> None:
    async with serve(answers(*"abcdef")):
        started, _ = await person.talk("One")
        talk = {"conversation_id": started.conversation_id}
        question, answer = (await person.conversation(started.conversation_id)).messages
        second, _ = await person.talk("Two", **talk, parent_message_id=answer.id, client_request_id="two")
        newest = (await person.conversation(started.conversation_id)).current_message_id
        for seen in (answer.id, question.id, new_id()):
            with pytest.raises(StaleBranch) as refused:
                await person.say("Three", **talk, parent_message_id=seen)
            assert refused.value.details == {"current_message_id": newest}
        again, _ = await person.say("Two", **talk, parent_message_id=answer.id, client_request_id="two")
        assert again == second  # a repetition is no second message
        await fork(person, chat.RUN_REGENERATE, **talk, message_id=answer.id)
        with pytest.raises(StaleBranch):
            await person.say("On the other branch", **talk, parent_message_id=newest)
        await person.ask(chat.CONVERSATION_UPDATE, **talk, current_message_id=newest)
        await person.talk("On the other branch", **talk, parent_message_id=newest)
        assert texts(await person.conversation(started.conversation_id))[:4] == ["One", "a", "Two", "b"]
        with pytest.raises(NotFound):
            await stranger.say("Mine", **talk, parent_message_id=newest)


async def test_a_message_while_another_window_waits_is_told_of_its_run(serve: Serve, person: Person) -> None:
    note = await person.note("Old")
    call = function_call("delete_note", {"note_id": note.id}, call_id="d0")
    async with serve(ScriptedModel([[assistant_message("Hi.")], [call]])):
        started, _ = await person.talk("Hello")
        talk = {"conversation_id": started.conversation_id}
        seen = (await person.conversation(started.conversation_id)).current_message_id
        waiting, received = await person.say("Delete it", **talk, parent_message_id=seen)
        await received.until(lambda: received.of("approval_required"))
        with pytest.raises(RunActive):
            await person.say("And another", **talk, parent_message_id=seen)
        await person.ask(chat.RUN_CANCEL, run_id=waiting.run_id)
        await received.done()


async def test_what_cannot_be_branched(serve: Serve, person: Person, stranger: Person) -> None:
    note = await person.note("Old")
    call = function_call("delete_note", {"note_id": note.id}, call_id="d0")
    async with serve(ScriptedModel([[assistant_message("Hi.")], [call]])):
        started, _ = await person.talk("Hello")
        talk = {"conversation_id": started.conversation_id}
        mine, its = (await person.conversation(started.conversation_id)).messages
        with pytest.raises(ValidationFailed):
            await fork(person, chat.RUN_EDIT, **talk, message_id=its.id, message="No")
        elsewhere: chat.Conversation = await person.ask(chat.CONVERSATION_CREATE)
        for who, where, what in (
            *((stranger, started.conversation_id, mine.id), (person, elsewhere.id, mine.id)),
            (person, started.conversation_id, new_id()),
        ):
            for operation, fields in ((chat.RUN_EDIT, {"message": "No"}), (chat.RUN_REGENERATE, {})):
                with pytest.raises(NotFound):
                    await fork(who, operation, conversation_id=where, message_id=what, **fields)
        with pytest.raises(NotFound):
            await stranger.ask(chat.CONVERSATION_UPDATE, **talk, current_message_id=mine.id)
        waiting, received = await person.say("Delete it", **talk)
        await received.until(lambda: received.of("approval_required"))
        with pytest.raises(RunActive):
            await fork(person, chat.RUN_REGENERATE, **talk, message_id=its.id)
        await person.ask(chat.RUN_CANCEL, run_id=waiting.run_id)
        await received.done()
        assert len((await person.conversation(started.conversation_id)).messages) == 4
