"""Real models: both of OpenAI's formats, through the real client, against a local server that speaks them."""

from typing import Any

import pytest

from contracts import chat, notes
from standalone.testing import SLOW_SECONDS
from tests.model_server import Calls, Cut, Hang, ModelServer, OpenAnswer, Status, Text

from .people import Person, Serve
from .test_approval import decide, titles, until_waiting

FORMATS = ["responses", "chat_completions"]
ENVIRONMENT = {"openai_api_key": "sk-very-secret", "model": "local"}


def real(format_: str, server: ModelServer, timeout: float = SLOW_SECONDS) -> dict[str, Any]:
    """The settings to serve with."""
    api = "chat" if format_ == "chat_completions" else "responses"
    return ENVIRONMENT | {"openai_base_url": server.base_url, "model_timeout_s": timeout, "api": api}


@pytest.mark.parametrize("format_", FORMATS)
async def test_text(serve: Serve, person: Person, format_: str) -> None:
    async with ModelServer() as server, serve(**real(format_, server)):
        server.script(Text("Hello, this is the model."))
        _, received = await person.talk("Hi")
        (request,) = server.requests
    received.assert_contiguous()
    assert received.text == "Hello, this is the model." == received.of("message")[0]["text"]
    usage = received.of("done")[0]["usage"]
    assert usage["requests"] == 1
    assert usage["output_tokens"] > 0
    assert "ada" in str(request.json)
    assert request.headers["authorization"] == "Bearer sk-very-secret"


@pytest.mark.parametrize("format_", FORMATS)
async def test_several_tools_at_once_with_split_arguments(serve: Serve, person: Person, format_: str) -> None:
    async with ModelServer() as server, serve(**real(format_, server)):
        one, two = {"title": "One", "body": "a" * 100}, {"title": "Two — ü"}
        server.script(Calls([("create_note", one), ("create_note", two)], split=3, text="Let me."), Text("Both."))
        started, received = await person.talk("Two notes")
        titles = {note.title for note in (await person.ask(notes.LIST)).notes}
        talk = await person.conversation(started.conversation_id)
    received.assert_contiguous()
    assert titles == {"One", "Two — ü"}
    assert [done["arguments"]["title"] for done in sorted(received.of("tool_done"), key=str)]
    assert all(done["status"] == "ok" for done in received.of("tool_done"))
    streamed: dict[str, str] = {}
    for event in received.of("tool_args"):
        streamed[event["call_id"]] = streamed.get(event["call_id"], "") + event["delta"]
    assert len(streamed) == 2
    assert '"One"' in "".join(streamed.values())
    assert [(message.text, len(message.tool_calls)) for message in talk.messages[1:]] == [("Let me.", 2), ("Both.", 0)]
    assert [message["text"] for message in received.of("message")] == ["Let me.", "Both."]


@pytest.mark.parametrize("format_", FORMATS)
async def test_one_call_is_approved_and_another_denied(serve: Serve, person: Person, format_: str) -> None:
    one, two = [await person.note(title) for title in ("One", "Two")]
    async with ModelServer() as server, serve(**real(format_, server)):
        delete = [("delete_note", {"note_id": note.id}) for note in (one, two)]
        server.script(Calls(delete), Text("One is gone."))
        started, received = await until_waiting(person)
        first, second = [call["call_id"] for call in received.of("approval_required")[0]["calls"]]
        await decide(person, started.run_id, {"call_id": first, "approve": True})
        await decide(person, started.run_id, {"call_id": second, "approve": False, "reason": "I still need it"})
        await received.done()
        left = await titles(person)
        _, request_after = server.requests
    received.assert_contiguous()
    assert left == ["Two"]
    assert {done["call_id"]: done["status"] for done in received.of("tool_done")} == {first: "ok", second: "denied"}
    assert "I still need it" in str(request_after.json)


@pytest.mark.parametrize("format_", FORMATS)
async def test_always_in_this_conversation_is_for_this_conversation(serve: Serve, person: Person, format_: str) -> None:
    one, two, three = [await person.note(title) for title in ("One", "Two", "Three")]
    async with ModelServer() as server, serve(**real(format_, server)):
        for note in (one, two, three):
            server.script(Calls([("delete_note", {"note_id": note.id})]), Text("It is gone."))
        started, received = await until_waiting(person)
        (call,) = received.of("approval_required")[0]["calls"]
        decision = {"call_id": call["call_id"], "approve": True, "remember": "conversation"}
        await decide(person, started.run_id, decision)
        await received.done()
        _, again = await person.talk("And the second", conversation_id=started.conversation_id)
        assert await titles(person) == ["Three"]
        elsewhere, _ = await until_waiting(person, "And the third")
        assert await titles(person) == ["Three"]
    again.assert_contiguous()
    assert again.of("approval_required") == []
    assert [done["status"] for done in again.of("tool_done")] == ["ok"]
    assert elsewhere.conversation_id != started.conversation_id


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    ("steps", "code", "retried", "partial"),
    [
        ([Status(401)], "model_rejected", 0, False),
        ([Status(400)] * 2, "model_rejected", 1, False),
        ([Status(404)], "model_rejected", 0, False),
        ([Status(429, retry_after=0.01)] * 3, "rate_limited", 2, False),
        ([Status(429, retry_after=3600)], "rate_limited", 0, False),
        ([Status(500)] * 3, "model_unavailable", 2, False),
        ([Cut(after_tokens=5)], "model_unavailable", 0, True),
        ([Cut(after_tokens=5, clean=True)], "model_unavailable", 0, True),
    ],
)
async def test_failures_have_their_codes(
    serve: Serve, person: Person, format_: str, steps: list[Any], code: str, retried: int, partial: bool
) -> None:
    async with ModelServer() as server, serve(**real(format_, server)):
        await assert_fails(server, person, steps, code, retried=retried, partial=partial)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("step", "partial"), [(Hang(), False), (Hang(after_tokens=5), True)])
async def test_a_silent_model_is_given_up(
    serve: Serve, person: Person, format_: str, step: Hang, partial: bool
) -> None:
    """The idle timeout leaves a slow machine enough time to deliver the text before the silence."""
    async with ModelServer() as server, serve(**real(format_, server, timeout=2.0 if partial else 0.5)):
        await assert_fails(server, person, [step], "timeout", retried=0, partial=partial)


async def assert_fails(
    server: ModelServer, person: Person, steps: list[Any], code: str, *, retried: int, partial: bool
) -> None:
    """A run whose model answers with `steps` ends with this error, and if `partial`, after some text."""
    server.script(*steps)
    started, received = await person.talk("Hi")
    talk = await person.conversation(started.conversation_id)
    run = await person.run(started.run_id)
    await person.talk("And again?", conversation_id=started.conversation_id)
    received.assert_contiguous()
    (error,) = received.of("run_error")
    assert error["code"] == code
    assert "sk-" not in str(received.events)
    assert received.of("done")[0]["status"] == run.status == "failed"
    assert run.error is not None
    assert run.error.code == code
    assert len(received.of("retrying")) == retried
    stored = [(message.text, message.status) for message in talk.messages[1:]]
    assert stored == ([(received.text, "failed")] if partial else [])
    assert all((message.run_status, message.error) == ("failed", run.error) for message in talk.messages)
    assert received.text == (" word1 word2 word3 word4 word5" if partial else "")


@pytest.mark.parametrize("format_", FORMATS)
async def test_a_retry_that_works(serve: Serve, person: Person, format_: str) -> None:
    async with ModelServer() as server, serve(**real(format_, server)):
        server.script(Status(429, retry_after=0.02), Text("Here I am."))
        _, received = await person.talk("Hi")
    assert received.names == ["run", "retrying", "token", "message", "done"]
    assert received.of("retrying")[0] == {
        "attempt": 2,
        "max_attempts": 3,
        "delay_ms": 20,
        "reason": "rate_limited",
        "model": "local",
    }


@pytest.mark.parametrize("format_", FORMATS)
async def test_cancel_closes_the_connection_to_the_model(serve: Serve, person: Person, format_: str) -> None:
    async with ModelServer() as server, serve(**real(format_, server)):
        server.script(OpenAnswer())
        started, received = await person.say("A long one")
        await received.until(lambda: received.text.count("word") >= 3)
        await person.ask(chat.RUN_CANCEL, run_id=started.run_id)
        await server.wait_disconnect(SLOW_SECONDS)
        await received.done()
        talk = await person.conversation(started.conversation_id)
        run = await person.ask(chat.RUN_CANCEL, run_id=started.run_id)
    received.assert_contiguous()
    assert received.of("done")[0]["status"] == "cancelled" == run.status
    assert [(message.text, message.status) for message in talk.messages[1:]] == [(received.text, "cancelled")]


async def test_which_model_answers(serve: Serve, person: Person) -> None:
    async with serve():
        demo = await person.nc.request("agent.status", b"{}")
    async with serve(openai_api_key="sk-1"):
        openai = await person.nc.request("agent.status", b"{}")
    async with serve(openai_base_url="http://127.0.0.1:11434/v1", model="llama3.2"):
        local = await person.nc.request("agent.status", b"{}")
    shown = [chat.ModelStatus.model_validate_json(reply.data) for reply in (demo, openai, local)]
    assert [status.mode for status in shown] == ["demo", "live", "live"]
    assert [status.provider for status in shown] == ["Inkstream", "OpenAI", "127.0.0.1"]
    assert shown[2].model == "llama3.2"
