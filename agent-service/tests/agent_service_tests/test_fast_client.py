"""The fast client against the package's own: the same requests, the same events, and the fast way is the one taken.

These tests fail when a private part of the `openai` package changes that the fast client uses.
"""

from typing import Any

import pytest
from agents import ModelSettings, ModelTracing, OpenAIResponsesModel
from agents.models.interface import Model
from openai import AsyncOpenAI

from agent_service.models import fast_client
from agent_service.models.compatible import CompatibleModel
from agent_service.models.fast_client import FastClient
from agent_service.tools.sdk_tools import SDK_TOOLS
from tests.model_server import Calls, ModelServer, Request, Step, Text

MODELS = {"chat_completions": CompatibleModel, "responses": OpenAIResponsesModel}
STEPS = [Text("Hello, this is the model — ü."), Calls([("create_note", {"title": "Öl"})])]


async def respond(model: Model) -> list[Any]:
    """The events of one response, without ids and times."""
    stream = model.stream_response(
        "Be brief.",
        [{"role": "user", "content": "Hi"}],
        ModelSettings(temperature=0.5, include_usage=True),
        [*SDK_TOOLS.values()][::2],
        None,
        [],
        ModelTracing.DISABLED,
        previous_response_id=None,
        conversation_id=None,
        prompt=None,
    )
    return [_without_ids(event.model_dump()) async for event in stream]


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_ids(item) for key, item in value.items() if key not in ("id", "call_id", "created_at")}
    return [_without_ids(item) for item in value] if isinstance(value, list) else value


async def with_client(kind: type[AsyncOpenAI], format_: str, step: Step) -> tuple[list[Any], Request]:
    async with (
        ModelServer(default=step) as server,
        kind(api_key="sk-1", base_url=server.base_url, max_retries=0) as client,
    ):
        events = await respond(MODELS[format_]("local", client))
        (request,) = server.requests
        return events, request


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("format_", MODELS)
async def test_requests_and_events_are_those_of_the_packages_own_client(format_: str, step: Step) -> None:
    events, request = await with_client(FastClient, format_, step)
    own_events, own_request = await with_client(AsyncOpenAI, format_, step)
    assert events == own_events
    assert request.json == own_request.json
    assert request.path == own_request.path
    assert request.headers["authorization"] == own_request.headers["authorization"]


async def test_text_chunks_are_built_without_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    built = 0
    build = fast_client._text_chunk

    def counting(data: Any) -> Any:
        nonlocal built
        chunk = build(data)
        built += chunk is not None
        return chunk

    monkeypatch.setattr(fast_client, "_text_chunk", counting)
    await with_client(FastClient, "chat_completions", Text("one two three four"))
    assert built >= 4


async def test_text_events_are_validated_against_their_own_type_only(monkeypatch: pytest.MonkeyPatch) -> None:
    recognised = 0
    recognise = fast_client._is_text_delta

    def counting(data: Any) -> bool:
        nonlocal recognised
        found = recognise(data)
        recognised += found
        return found

    monkeypatch.setattr(fast_client, "_is_text_delta", counting)
    await with_client(FastClient, "responses", Text("one two three four"))
    assert recognised >= 4


async def test_tools_are_sent_without_being_transformed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("the package transforms the request")

    monkeypatch.setattr("openai.resources.chat.completions.completions.async_maybe_transform", forbidden)
    await with_client(FastClient, "chat_completions", Text("Hello."))
    with pytest.raises(AssertionError):
        await with_client(AsyncOpenAI, "chat_completions", Text("Hello."))
