"""Servers that do not take every request: what they refuse is left out, and remembered."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from agents import FunctionTool, ModelSettings
from openai.types.shared import Reasoning

from agent_service.errors import ModelFailed
from agent_service.models.wire import Api, Dialect, HttpModel, WireClient, provider_errors
from tests.model_server import ModelServer, Replay, Status, Text
from tests.model_server.http import Request
from tests.model_server.strict import complaints

from .bodies import Recorder, data, texts
from .test_client import client, text_of

USER = {"role": "user", "content": "Hello"}
EVERYTHING = ModelSettings(reasoning=Reasoning(effort="low"), verbosity="low")


async def never(*_: Any) -> str:
    raise AssertionError("no tool is called here")


TOOL = FunctionTool(
    "create_note", "Creates a note.", {"type": "object", "properties": {}}, never, strict_json_schema=False
)


def called(provider: str, **more: Any) -> list[Any]:
    call = {"type": "function_call", "call_id": "c1", "name": "create_note", "arguments": '{"title":"Milk"}'}
    thought = {
        "type": "reasoning",
        "id": "__fake_id__",
        "summary": [{"type": "summary_text", "text": "Hm."}],
        "provider_data": {"provider": provider, "field": "reasoning_content"},
    }
    return [
        USER,
        thought,
        call | {"provider_data": {"provider": provider, **more}},
        {"type": "function_call_output", "call_id": "c1", "output": "Created."},
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "And now?"},
    ]


def unstreamed(text: str) -> Replay:
    message = {"role": "assistant", "content": text}
    answer = {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return Replay([json.dumps(answer).encode()], content_type="application/json")


def refusal(status: int, body: Any) -> Replay:
    return Replay([json.dumps(body).encode()], status=status, content_type="application/json")


def refusing(is_refused: Callable[[dict[str, Any]], bool], answer: Replay | Status) -> Callable[[Request], Any]:
    return lambda request: answer if is_refused(request.json) else Text("Hello.")


async def ask(
    opened: WireClient, model: HttpModel, items: list[Any] | None = None, listener: Recorder | None = None
) -> str:
    items = called(opened.provider) if items is None else items
    return text_of(await model.respond(listener or Recorder(), "Be brief.", items, EVERYTHING, [TOOL]))


def inner(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda body: any(name in message for message in body.get("messages", []))


def top(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda body: name in body


def has_system(body: dict[str, Any]) -> bool:
    return any(message["role"] == "system" for message in body["messages"])


CHAT = [
    ("stream_options", top("stream_options"), Status(400, message="Unrecognized request argument: stream_options")),
    (
        "stream_options-of-pydantic",
        top("stream_options"),
        refusal(
            422,
            {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "stream_options"],
                        "msg": "Extra inputs are not permitted",
                        "input": {"tools": 1, "verbosity": 2},
                    }
                ]
            },
        ),
    ),
    (
        "reasoning_effort",
        top("reasoning_effort"),
        refusal(400, {"error": {"message": "Unsupported parameter", "param": "reasoning_effort"}}),
    ),
    ("verbosity", top("verbosity"), refusal(400, {"message": "property 'verbosity' is unsupported"})),
    ("as-text", top("verbosity"), Replay([b"Unknown field: verbosity"], status=400, content_type="text/plain")),
    (
        "reasoning_content",
        inner("reasoning_content"),
        refusal(400, {"error": {"message": "messages[2]: property 'reasoning_content' is unsupported"}}),
    ),
    ("tools", top("tools"), Status(400, message="registry/llama: does not support tools")),
    ("tools-as-parameter", top("tools"), refusal(400, {"error": {"message": "Unknown parameter", "param": "tools"}})),
    ("system", has_system, Status(400, message="System role not supported")),
    ("system-in-a-template", has_system, Status(500, message="Jinja: System role not supported by this template")),
    (
        "system-as-value",
        has_system,
        refusal(
            400,
            {
                "error": {
                    "message": "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
                    "type": "invalid_request_error",
                    "param": "messages[0].role",
                    "code": "unsupported_value",
                }
            },
        ),
    ),
    ("system-in-a-choice", has_system, Status(422, message="messages.0.role: Input should be 'user' or 'assistant'")),
    ("system-unexpected", has_system, Status(400, message="Unexpected role 'system' after role 'user'")),
    ("not-named", top("stream_options"), Status(400, message="Bad Request")),
]


@pytest.mark.parametrize(("_", "is_refused", "answer"), CHAT)
async def test_a_refused_part_is_left_out_and_stays_so(
    _: str, is_refused: Callable[[dict[str, Any]], bool], answer: Replay | Status
) -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.default = refusing(is_refused, answer)
        model, listener = HttpModel("m", opened, "chat"), Recorder()
        assert await ask(opened, model, listener=listener) == "Hello."
        assert len(server.requests) == 2
        assert len(listener.simplifications) == 1
        allowed = frozenset({"reasoning_content"})
        assert complaints(server.requests[-1], allowed=allowed) == []
        assert "Be brief." in json.dumps(server.requests[-1].json)

        again = Recorder()
        assert await ask(opened, model, [USER], again) == "Hello."
        if not is_refused(server.requests[2].json):
            assert again.simplifications == []
            assert len(server.requests) == 3


RESPONSES = [
    ("strict", lambda body: "strict" in body.get("tools", [{}])[0], "tools.0.strict: Extra inputs are not permitted"),
    ("reasoning", top("reasoning"), "Unsupported parameter: 'reasoning' is not supported with this model."),
    ("instructions", top("instructions"), "Unknown field instructions"),
    ("tools", top("tools"), "This model does not support function calling"),
]


@pytest.mark.parametrize(("_", "is_refused", "message"), RESPONSES)
async def test_a_refused_part_is_left_out_of_responses_too(
    _: str, is_refused: Callable[[dict[str, Any]], bool], message: str
) -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.default = refusing(is_refused, Status(400, message=message))
        model = HttpModel("m", opened, "responses")
        assert await ask(opened, model) == "Hello."
        assert complaints(server.requests[-1]) == []
        assert "Be brief." in json.dumps(server.requests[-1].json)
        assert await ask(opened, model) == "Hello."
        assert len(server.requests) == 3


async def test_several_parts_are_left_out_one_after_the_other() -> None:
    def picky(request: Request) -> Any:
        for name in ("stream_options", "verbosity", "reasoning_effort"):
            if name in request.json:
                return Status(422, message=f"{name}: Extra inputs are not permitted")
        return Text("Hello.")

    async with ModelServer() as server, client(server.base_url) as opened:
        server.default = picky
        model = HttpModel("m", opened, "chat")
        assert await ask(opened, model) == "Hello."
        assert await ask(opened, model) == "Hello."
        assert len(server.requests) == 5
        assert "tools" in server.requests[-1].json


async def test_a_server_that_does_not_stream_is_asked_for_the_whole() -> None:
    def whole_only(request: Request) -> Any:
        return Status(400, message="stream is not supported") if request.json.get("stream") else unstreamed("Hello.")

    async with ModelServer() as server, client(server.base_url) as opened:
        server.default = whole_only
        listener = Recorder()
        assert await ask(opened, HttpModel("m", opened, "chat"), listener=listener) == "Hello."
        assert listener.received[0] == "Hello."


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_a_refused_history_is_sent_once_more_as_plain_messages(api: Api) -> None:
    """And only that one: another conversation gets its own form."""
    field = "messages" if api == "chat" else "input"

    def picky(request: Request) -> Any:
        is_odd = any(message.keys() - {"role", "content"} for message in request.json[field])
        return Status(400, message="Invalid conversation") if is_odd else Text("Hello.")

    async with ModelServer() as server, client(server.base_url) as opened:
        server.default = picky
        model, listener = HttpModel("m", opened, api), Recorder()
        assert await ask(opened, model, listener=listener) == "Hello."
        assert listener.simplifications == ["request_refused"]
        messages = [message for message in server.requests[-1].json[field] if message["role"] != "system"]
        assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant", "user"]
        assert 'create_note {"title":"Milk"}' in messages[1]["content"]
        assert "Created." in messages[2]["content"]
        assert "tools" in server.requests[-1].json

        assert await ask(opened, model) == "Hello."
        assert any(message.keys() - {"role", "content"} for message in server.requests[-2].json[field])


async def test_without_tools_the_history_has_no_calls() -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.default = refusing(top("tools"), Status(400, message="m does not support tools"))
        model, listener = HttpModel("m", opened, "chat"), Recorder()
        assert await ask(opened, model, listener=listener) == "Hello."
        assert listener.simplifications == ["no_tools"]
        assert not model.dialect.has_tools
        assert all(message.keys() == {"role", "content"} for message in server.requests[-1].json["messages"])


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("The request is wrong.", provider_errors.REFUSED),
        ("maximum context length is 4096 tokens, tools and stream_options included", provider_errors.TOO_LONG),
    ],
)
async def test_what_is_refused_in_every_form_ends_with_the_reason(message: str, meaning: str) -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.default = Status(400, message=message)
        model = HttpModel("m", opened, "chat")
        with pytest.raises(ModelFailed) as raised:
            await ask(opened, model)
        assert raised.value.message == meaning
        assert len(server.requests) <= 3
        assert model.dialect == Dialect()


async def test_what_is_refused_with_status_200_is_left_out_too() -> None:
    error = data({"error": {"message": "Unsupported parameter: stream_options", "code": 400}})
    answer = Replay([error])
    async with ModelServer() as server, client(server.base_url) as opened:
        server.default = refusing(top("stream_options"), answer)
        assert await ask(opened, HttpModel("m", opened, "chat")) == "Hello."


async def test_a_refusal_after_the_first_words_is_not_repeated() -> None:
    error = data({"error": {"message": "Unsupported parameter: stream_options", "code": 400}})
    async with ModelServer() as server, client(server.base_url) as opened:
        server.default = Replay([texts("Hel") + error])
        with pytest.raises(ModelFailed):
            await ask(opened, HttpModel("m", opened, "chat"))
        assert len(server.requests) == 1


async def test_the_setting_names_what_is_left_out_from_the_beginning() -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        model = HttpModel("m", opened, "chat", Dialect.parse("stream_options, system reasoning_content"))
        await ask(opened, model)
        [request] = server.requests
    assert "stream_options" not in request.json
    assert request.json["messages"][0] == {"role": "user", "content": "Be brief.\n\nHello"}
    assert not inner("reasoning_content")(request.json)


async def test_without_a_name_the_first_model_of_the_server_is_used() -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.models = ["nomic-embed-text", "qwen3:8b", "llama3.3"]
        model = HttpModel(None, opened, "chat")
        await ask(opened, model)
        assert server.requests[-1].json["model"] == "qwen3:8b"
        assert model.known_name == "qwen3:8b"


@pytest.mark.parametrize("models", [[], None])
async def test_a_server_without_a_model_says_what_to_do(models: list[str] | None) -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.models = models
        with pytest.raises(ModelFailed) as raised:
            await ask(opened, HttpModel(None, opened, "chat"))
    assert raised.value.message == (provider_errors.NO_MODEL if models == [] else provider_errors.NOT_A_SERVER)


async def test_an_address_without_v1_is_completed() -> None:
    async with ModelServer() as server, client(server.base_url.removesuffix("/v1")) as opened:
        server.models = ["qwen3:8b"]
        model = HttpModel(None, opened, "chat")
        assert await ask(opened, model) == "Hello from the model server."
        paths = [request.path for request in server.requests]
        assert await ask(opened, model) == "Hello from the model server."
        assert [request.path for request in server.requests][len(paths) :] == ["/v1/chat/completions"]


async def test_an_address_of_no_server_stays_as_it_was_configured() -> None:
    async with ModelServer() as server, client(server.base_url.removesuffix("/v1")) as opened:
        server.models = None
        server.default = Status(404, message="Not Found")
        with pytest.raises(ModelFailed) as raised:
            await ask(opened, HttpModel("m", opened, "chat"))
        assert raised.value.message == provider_errors.NOT_A_SERVER
        assert opened.base_url == server.base_url.removesuffix("/v1")
