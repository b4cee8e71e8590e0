"""The usage of answers: whole ones, and those that were stopped or failed, as far as their servers have counted it."""

import json
from typing import Any

import pytest

from contracts import chat
from contracts.run_events import Usage
from standalone.testing import SLOW_SECONDS
from tests.model_server import Calls, ModelServer, Replay, Text

from .people import Person, Serve
from .wire.bodies import DONE, MILK, STOP, USAGE, call, calls, data, delta, event, response, texts

COUNTED_SO_FAR = data(
    {"choices": [{"index": 0, "delta": {"content": "Good "}}], "usage": {"prompt_tokens": 30, "completion_tokens": 1}}
) + data(
    {"choices": [{"index": 0, "delta": {"content": "mor"}}], "usage": {"prompt_tokens": 30, "completion_tokens": 2}}
)
COUNTED_FIRST = event("response.created", response={"id": "r1", "usage": {"input_tokens": 30, "output_tokens": 0}})
DELTA = event("response.output_text.delta", item_id="m1", output_index=0, delta="Good mor")
ERROR = {"message": "The server had an error", "type": "server_error"}


def settings(server: ModelServer, api: str) -> dict[str, Any]:
    return {"openai_base_url": server.base_url, "model": "m", "api": api}


@pytest.mark.parametrize(
    ("api", "body", "text", "tokens"),
    [
        ("chat", COUNTED_SO_FAR, "Good mor", (30, 2)),
        ("chat", texts("Good ", "mor"), "Good mor", (0, 0)),
        ("responses", COUNTED_FIRST + DELTA, "Good mor", (30, 0)),
        ("responses", DELTA, "Good mor", (0, 0)),
    ],
)
async def test_of_a_stopped_answer(
    serve: Serve, person: Person, api: str, body: bytes, text: str, tokens: tuple[int, int]
) -> None:
    async with ModelServer() as server, serve(**settings(server, api)):
        server.script(Replay([body], hangs=True), Text("Yes."))
        started, received = await person.say("Hello")
        await received.until(lambda: received.text == text)
        await person.ask(chat.RUN_CANCEL, run_id=started.run_id)
        await received.done()
        await server.wait_disconnect(SLOW_SECONDS)
        await assert_counted(
            person, started, received, Usage(input_tokens=tokens[0], output_tokens=tokens[1], requests=1)
        )
    assert received.of("done")[0]["status"] == "cancelled"


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_of_an_answer_that_is_stopped_after_a_call(serve: Serve, person: Person, api: str) -> None:
    first = (
        calls(call(arguments=MILK)) + delta("tool_calls") + data({"choices": [], "usage": USAGE}) + DONE
        if api == "chat"
        else response(
            "response.completed",
            {"type": "function_call", "id": "f1", "call_id": "call_a", "name": "create_note", "arguments": MILK},
        )
    )
    async with ModelServer() as server, serve(**settings(server, api)):
        server.script(Replay([first]), Replay([COUNTED_SO_FAR if api == "chat" else COUNTED_FIRST + DELTA], hangs=True))
        started, received = await person.say("Note milk")
        await received.until(lambda: received.text == "Good mor")
        await person.ask(chat.RUN_CANCEL, run_id=started.run_id)
        await received.done()
        output = 6 if api == "chat" else 4
        await assert_counted(person, started, received, Usage(input_tokens=51, output_tokens=output, requests=2))


@pytest.mark.parametrize(
    ("api", "body", "tokens"),
    [
        ("chat", texts("Good mor") + data({"error": ERROR, "usage": USAGE}), (21, 4)),
        ("chat", COUNTED_SO_FAR, (30, 2)),
        ("chat", texts("Good mor") + delta("error") + data({"choices": [], "usage": USAGE}) + DONE, (21, 4)),
        ("responses", DELTA + response("response.failed", error=ERROR), (21, 4)),
        ("responses", COUNTED_FIRST + DELTA, (30, 0)),
    ],
)
async def test_of_an_answer_that_fails(
    serve: Serve, person: Person, api: str, body: bytes, tokens: tuple[int, int]
) -> None:
    async with ModelServer() as server, serve(**settings(server, api)):
        server.script(Replay([body]))
        started, received = await person.talk("Hello")
        await assert_counted(
            person, started, received, Usage(input_tokens=tokens[0], output_tokens=tokens[1], requests=1)
        )
    assert received.of("done")[0]["status"] == "failed"


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_of_requests_that_were_repeated(serve: Serve, person: Person, api: str) -> None:
    empty = delta("stop") + data({"choices": [], "usage": USAGE}) + DONE if api == "chat" else response()
    whole = texts("Hello.") + STOP if api == "chat" else DELTA + response()
    async with ModelServer() as server, serve(**settings(server, api)):
        server.script(*[Replay([body]) for body in (empty, empty, whole)])
        started, received = await person.talk("Hello")
        await assert_counted(person, started, received, Usage(input_tokens=63, output_tokens=12, requests=3))
        server.script(*[Replay([empty])] * 3)
        failed, received = await person.talk("Hello", conversation_id=started.conversation_id)
        assert received.of("done")[0]["status"] == "failed"
        await assert_counted(person, failed, received, Usage(input_tokens=63, output_tokens=12, requests=3))


async def test_of_an_answer_with_calls(serve: Serve, person: Person) -> None:
    async with ModelServer() as server, serve(**settings(server, "chat")):
        server.script(Calls([("create_note", {"title": "Milk"})]), Text("Done."))
        started, received = await person.talk("Note milk")
        run = await person.run(started.run_id)
    assert run.usage.requests == 2
    assert run.usage.input_tokens > 0
    assert json.loads(json.dumps(received.of("done")[0]["usage"])) == run.usage.model_dump(exclude_none=True)


async def assert_counted(person: Person, started: chat.RunStarted, received: Any, usage: Usage) -> None:
    """The event, the run, and its message if there is one say so."""
    assert received.of("done")[0]["usage"] == usage.model_dump(exclude_none=True)
    assert (await person.run(started.run_id)).usage == usage
    talk = await person.conversation(started.conversation_id)
    said = [message.usage for message in talk.messages if message.role == "assistant"]
    assert all(of_message in (usage, None) for of_message in said[-1:])
