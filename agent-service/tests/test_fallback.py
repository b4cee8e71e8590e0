"""Fallback: the models that answer where the chosen one cannot, over real sockets and in both formats."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts import chat, notes
from contracts.ids import new_id
from standalone.ports import free_port
from standalone.testing import SLOW_SECONDS
from tests.model_server import Calls, Cut, Hang, ModelServer, OpenAnswer, Replay, Status, Text
from tests.model_server.strict import complaints

from .people import Person, ReceivedEvents, Serve
from .test_takeover import kill
from .wire.bodies import MILK, event, response

FORMATS = ["chat", "responses"]
NOTE = Calls([("create_note", {"title": "Milk"})])
SILENCE = 1.0


@pytest.fixture
def listed(tmp_path: Path) -> Any:
    """The list of models `a`, `b` … at these servers, each with those after it as its fallbacks."""

    def write(*servers: str | ModelServer, formats: str | list[str] = "chat", **more: Any) -> Path:
        ids = [chr(ord("a") + place) for place in range(len(servers))]
        each = [formats] * len(servers) if isinstance(formats, str) else formats
        models: list[dict[str, Any]] = [
            {
                **{"id": id_, "label": f"Model {id_.upper()}", "format": each[place], "fallback": ids[place + 1 :]},
                "base_url": server if isinstance(server, str) else server.base_url,
                **more,
            }
            for place, (id_, server) in enumerate(zip(ids, servers, strict=True))
        ]
        file = tmp_path / f"{new_id()}.json"
        file.write_text(json.dumps({"models": models}))
        return file

    return write


def repeated(received: ReceivedEvents) -> list[tuple[str, str]]:
    return [(event["model"], event["reason"]) for event in received.of("retrying")]


async def wrote(person: Person, started: chat.RunStarted) -> list[tuple[str, str | None]]:
    """The assistant's messages of the conversation, with their models."""
    talk = await person.conversation(started.conversation_id)
    return [(message.text, message.model) for message in talk.messages if message.role == "assistant"]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    ("steps", "reasons"),
    [
        ([Status(500)] * 3, ["model_unavailable"] * 3),
        ([Status(429, retry_after=0.01)] * 3, ["rate_limited"] * 3),
        ([Status(429, retry_after=3600)], ["rate_limited"]),
        ([Status(429, message="insufficient_quota")], ["rate_limited"]),
        ([Status(402)], ["model_rejected"]),
        ([Status(401)], ["model_rejected"]),
        ([Status(404, message="The model `a` does not exist")], ["unknown_model"]),
        ([Status(404)], ["unknown_model"]),
        ([Status(503, message="Loading model")], ["loading"]),
        ([Status(400, message="maximum context length is 8192 tokens")], ["too_long"]),
        ([Status(400, message="No.")] * 2, ["request_refused", "model_rejected"]),
        ([Replay([b"<html>Welcome</html>"], content_type="text/html")], ["model_rejected"]),
        ([Hang()], ["timeout"]),
    ],
)
async def test_another_model_answers(
    serve: Serve, person: Person, listed: Any, format_: str, steps: list[Any], reasons: list[str]
) -> None:
    async with ModelServer() as first, ModelServer() as second:
        first.script(*steps)
        first.default = Text("Back again.")
        second.default = Text("Here I am.")
        async with serve(models=listed(first, second, formats=format_), model_timeout_s=SILENCE):
            started, received = await person.talk("Hello")
            stored = await wrote(person, started)
            run = await person.run(started.run_id)
            _, later = await person.talk("And now?", conversation_id=started.conversation_id)
            talk = await person.conversation(started.conversation_id)
    received.assert_contiguous()
    assert received.of("run_error") == []
    assert (received.text, stored, run.model) == ("Here I am.", [("Here I am.", "b")], "b")
    assert received.of("run")[0]["model"] == "a"
    told = repeated(received)
    assert told[-1][0] == "b"
    assert {model for model, _ in told[:-1]} <= {"a"}
    assert [reason for _, reason in told] == reasons
    assert received.of("retrying")[-1]["attempt"] == 1
    assert (later.text, later.of("run")[0]["model"]) == ("Back again.", "a")
    assert talk.model is None


async def test_a_server_that_is_not_there(serve: Serve, person: Person, listed: Any) -> None:
    async with ModelServer() as second:
        second.default = Text("Here I am.")
        async with serve(models=listed(f"http://127.0.0.1:{free_port()}/v1", second)):
            started, received = await person.talk("Hello")
            assert await wrote(person, started) == [("Here I am.", "b")]
    assert repeated(received)[-1] == ("b", "model_unavailable")


@pytest.mark.parametrize("format_", FORMATS)
async def test_they_are_tried_in_order(serve: Serve, person: Person, listed: Any, format_: str) -> None:
    async with ModelServer() as first, ModelServer() as second, ModelServer() as third:
        first.default, second.default, third.default = Status(401), Status(402), Text("I am the third.")
        async with serve(models=listed(first, second, third, formats=format_)):
            started, received = await person.talk("Hello")
            assert await wrote(person, started) == [("I am the third.", "c")]
    assert repeated(received) == [("b", "model_rejected"), ("c", "model_rejected")]


@pytest.mark.parametrize("format_", FORMATS)
async def test_where_none_can_answer_each_says_why(serve: Serve, person: Person, listed: Any, format_: str) -> None:
    async with ModelServer() as first, ModelServer() as second:
        first.default, second.default = Status(401), Status(429, retry_after=3600)
        async with serve(models=listed(first, second, formats=format_)):
            started, received = await person.talk("Hello")
            run = await person.run(started.run_id)
            assert await wrote(person, started) == []
    (error,) = received.of("run_error")
    assert error["code"] == "model_rejected"
    assert error["retryable"] is True
    assert error["message"] == (
        'Model A: The model\'s provider refused the API key. Check "key_env" of the model a in the list of models.\n'
        "Model B: The model's provider is busy. Try again in a moment."
    )
    assert (run.status, run.model) == ("failed", "a")
    received.assert_contiguous()


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("step", [Cut(after_tokens=5), Cut(after_tokens=5, clean=True), Hang(after_tokens=5)])
async def test_nothing_that_was_shown_is_told_again(
    serve: Serve, person: Person, listed: Any, format_: str, step: Any
) -> None:
    async with ModelServer() as first, ModelServer() as second:
        first.default = step
        async with serve(models=listed(first, second, formats=format_), model_timeout_s=2.0):
            started, received = await person.talk("Hello")
            stored = await wrote(person, started)
        assert not second.requests
    assert received.of("done")[0]["status"] == "failed"
    assert received.text == " word1 word2 word3 word4 word5"
    assert stored == [(received.text, "a")]


async def test_a_filter_is_not_evaded(serve: Serve, person: Person, listed: Any) -> None:
    async with ModelServer() as first, ModelServer() as second:
        first.default = Status(400, message="The message was flagged by our moderation")
        async with serve(models=listed(first, second)):
            _, received = await person.talk("Hello")
        assert not second.requests
    assert "content filter" in received.of("run_error")[0]["message"]


@pytest.mark.parametrize("formats", [["chat", "chat"], ["chat", "responses"], ["responses", "chat"], ["responses"] * 2])
async def test_the_next_model_goes_on_after_calls(
    serve: Serve, person: Person, listed: Any, formats: list[str]
) -> None:
    """It gets what was done, in a form that it takes; what was done is not repeated; the rest of the run is its own."""
    async with ModelServer() as first, ModelServer() as second:
        first.script(NOTE, *[Status(500)] * 3)
        first.default = Text("The first is back.")
        second.script(Calls([("list_notes", {})]), Text("Milk is noted."))
        async with serve(models=listed(first, second, formats=formats)):
            started, received = await person.talk("Note milk")
            stored = await wrote(person, started)
            found = await person.ask(notes.LIST)
            asked = list(second.requests)
    received.assert_contiguous()
    assert received.of("done")[0]["status"] == "completed"
    assert [note.title for note in found.notes] == ["Milk"]
    assert stored == [("", "a"), ("", "b"), ("Milk is noted.", "b")]
    assert len(first.requests) == 4
    assert [problem for request in asked for problem in complaints(request)] == []
    assert all("create_note" in json.dumps(request.json) and "Milk" in json.dumps(request.json) for request in asked)
    assert repeated(received)[-1] == ("b", "model_unavailable")


async def test_what_only_one_server_knows_does_not_go_to_another(serve: Serve, person: Person, listed: Any) -> None:
    """Ids of items, and reasoning that only the server that sent it can find again."""
    reasoning = {"type": "reasoning", "id": "rs_of_first", "summary": [], "encrypted_content": "c2VjcmV0"}
    made = {"type": "function_call", "id": "fc_of_first", "call_id": "call_1", "name": "create_note", "arguments": MILK}
    body = event("response.output_item.done", output_index=0, item=reasoning) + response(
        "response.completed", reasoning, made
    )
    async with ModelServer() as first, ModelServer() as second:
        first.script(Replay([body]), Status(401))
        second.default = Text("Noted.")
        async with serve(models=listed(first, second, formats="responses")):
            _, received = await person.talk("Note milk")
            (asked,) = second.requests
    assert received.text == "Noted."
    assert "of_first" not in json.dumps(asked.json)
    assert "c2VjcmV0" not in json.dumps(asked.json)
    assert complaints(asked) == []


async def test_no_request_begins_after_the_time_for_all(
    serve: Serve, person: Person, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_service.models.streaming_model.CHAIN_SECONDS", 0.0)
    async with ModelServer() as first, ModelServer() as second:
        first.default = Status(500)
        async with serve(models=listed(first, second)):
            _, received = await person.talk("Hello")
        assert (len(first.requests), len(second.requests)) == (1, 0)
    assert received.of("done")[0]["status"] == "failed"


async def test_usage_of_all_models_counts(serve: Serve, person: Person, listed: Any) -> None:
    empty = (
        b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":21,"completion_tokens":4}}\n\ndata: [DONE]\n\n'
    )
    async with ModelServer() as first, ModelServer() as second:
        first.default = Replay([empty])
        second.default = Replay([empty.replace(b'"delta":{}', b'"delta":{"content":"Hello."}')])
        async with serve(models=listed(first, second)):
            started, received = await person.talk("Hello")
            run = await person.run(started.run_id)
    assert received.text == "Hello."
    assert (run.usage.input_tokens, run.usage.output_tokens, run.usage.requests) == (84, 16, 4)


@pytest.mark.parametrize("format_", FORMATS)
async def test_over_a_takeover_the_same_model_goes_on(serve: Serve, person: Person, listed: Any, format_: str) -> None:
    async with ModelServer() as first, ModelServer() as second:
        first.script(NOTE, Status(401))
        first.default = Text("The first is back.")
        second.script(Calls([("list_notes", {})]), OpenAnswer("Half an ", tokens_per_second=None))
        second.default = Text("All is noted.")
        async with serve(models=listed(first, second, formats=format_)) as worker:
            started, received = await person.say("Note milk")
            await received.until(lambda: received.text == "Half an ")
            kill(worker, started.run_id)
            await received.done()
            stored = await wrote(person, started)
            run = await person.run(started.run_id)
            asked = list(second.requests)
    received.assert_contiguous()
    assert stored == [("", "a"), ("", "b"), ("All is noted.", "b")]
    assert run.model == "b"
    assert run.attempt == 2
    assert len(first.requests) == 2
    assert [problem for request in asked for problem in complaints(request)] == []


async def test_over_a_takeover_before_anything_was_stored_the_chain_begins_again(
    serve: Serve, person: Person, listed: Any
) -> None:
    async with ModelServer() as first, ModelServer() as second:
        first.script(Status(401))
        first.default = Text("The first is back.")
        second.script(OpenAnswer("Half an ", tokens_per_second=None))
        async with serve(models=listed(first, second)) as worker:
            started, received = await person.say("Hello")
            await received.until(lambda: received.text == "Half an ")
            kill(worker, started.run_id)
            await received.done()
            assert await wrote(person, started) == [("The first is back.", "a")]
            assert (await person.run(started.run_id)).model == "a"


async def test_a_stopped_answer_of_the_next_model_is_its_own(serve: Serve, person: Person, listed: Any) -> None:
    async with ModelServer() as first, ModelServer() as second:
        first.default = Status(401)
        second.default = OpenAnswer("Half an ", tokens_per_second=None)
        async with serve(models=listed(first, second)):
            started, received = await person.say("Hello")
            await received.until(lambda: received.text == "Half an ")
            await person.ask(chat.RUN_CANCEL, run_id=started.run_id)
            await received.done()
            await second.wait_disconnect(SLOW_SECONDS)
            assert await wrote(person, started) == [("Half an ", "b")]
            rebuilt = await person.ask(chat.RUN_REPLAY, run_id=started.run_id)
    assert rebuilt.events[0].data["model"] == "b"


async def test_a_run_whose_model_left_the_list_goes_on_with_the_default(
    serve: Serve, person: Person, tmp_path: Path
) -> None:
    """Also in the middle of a run: what the first model's server alone knows is left out."""
    async with ModelServer() as gone, ModelServer() as kept:
        gone.script(NOTE, OpenAnswer("Half an ", tokens_per_second=None))
        kept.default = Text("Milk is noted.")
        models = [
            {"id": "kept", "base_url": kept.base_url, "format": "responses"},
            {"id": "gone", "base_url": gone.base_url, "format": "responses"},
        ]
        both, one = tmp_path / "both.json", tmp_path / "one.json"
        both.write_text(json.dumps({"models": models}))
        one.write_text(json.dumps({"models": models[:1]}))
        async with serve(models=both) as worker:
            started, received = await person.say("Note milk", model="gone")
            await received.until(lambda: received.text == "Half an ")
            removed = worker.deps.models.listed.pop("gone")  # pyright: ignore[reportAttributeAccessIssue]
            kill(worker, started.run_id)
            await received.done()
            await removed.close()
            stored = await wrote(person, started)
            asked = list(kept.requests)
    assert stored == [("", "gone"), ("Milk is noted.", "kept")]
    assert [problem for request in asked for problem in complaints(request)] == []
    assert not [item for request in asked for item in request.json["input"] if "id" in item]
