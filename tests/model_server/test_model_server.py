"""The model server is compatible with the real clients: the `openai` client and the SDK's two models."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    Model,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    function_tool,
)
from openai import AsyncOpenAI
from openai.types.responses import ResponseTextDeltaEvent

from standalone.testing import SLOW_SECONDS
from tests.model_server import Calls, Cut, Hang, ModelServer, OpenAnswer, Stamps, Status, Text

MESSAGES: Any = [{"role": "user", "content": "Hello"}]


@pytest.fixture
async def server() -> AsyncGenerator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def client(server: ModelServer) -> AsyncGenerator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=server.base_url, api_key="key", max_retries=0, timeout=SLOW_SECONDS) as client:
        yield client


@pytest.fixture(params=[OpenAIResponsesModel, OpenAIChatCompletionsModel])
def model(request: pytest.FixtureRequest, client: AsyncOpenAI) -> Model:
    return request.param("local", client)


async def chat(client: AsyncOpenAI) -> str:
    stream = await client.chat.completions.create(model="local", messages=MESSAGES, stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


async def run(model: Model, *tools: Any) -> tuple[str, Any]:
    agent = Agent(name="assistant", model=model, model_settings=ModelSettings(include_usage=True), tools=list(tools))
    result = Runner.run_streamed(agent, "Hello", run_config=RunConfig(tracing_disabled=True))
    text = ""
    async for event in result.stream_events():
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent):
            text += event.data.delta
    return text, result


async def test_streams_text_to_both_models_of_the_sdk(server: ModelServer, model: Model) -> None:
    server.script(Text("Grüße aus der Küche, “friend”."))
    text, result = await run(model)
    assert text == result.final_output == "Grüße aus der Küche, “friend”."
    assert result.context_wrapper.usage.output_tokens == 5
    assert server.requests[-1].headers["authorization"] == "Bearer key"


async def test_calls_several_tools_at_once_with_split_arguments(server: ModelServer, model: Model) -> None:
    seen: list[tuple[str, int]] = []

    @function_tool
    async def note(title: str, number: int) -> str:
        seen.append((title, number))
        return "done"

    calls = [("note", {"title": "Ä b", "number": 1}), ("note", {"title": "c", "number": 2})]
    server.script(Calls(calls, split=3, text="Let me see. "), Text("Both done."))
    text, _ = await run(model, note)
    assert text == "Let me see. Both done."
    assert sorted(seen) == [("c", 2), ("Ä b", 1)]
    assert "done" in json.dumps(server.requests[-1].json)


async def test_lists_its_model_and_keeps_the_connection(server: ModelServer, client: AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["local"]
    server.default = Text("one two three", tokens_per_second=1_000)
    assert [await chat(client) for _ in range(3)] == ["one two three"] * 3
    assert server.disconnects == 0


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
async def test_fails_as_asked(
    server: ModelServer, client: AsyncOpenAI, status: int, error: type[openai.APIStatusError]
) -> None:
    server.script(Status(status, retry_after=2))
    with pytest.raises(error) as raised:
        await chat(client)
    assert raised.value.response.headers["retry-after"] == "2"
    assert await chat(client) == "Hello from the model server."


async def test_cuts_the_connection_in_the_middle(server: ModelServer, client: AsyncOpenAI) -> None:
    server.script(Cut(after_tokens=3))
    received: list[str] = []
    stream = await client.chat.completions.create(model="local", messages=MESSAGES, stream=True)
    with pytest.raises(openai.APIConnectionError):
        async for part in stream:
            received.append(part.choices[0].delta.content or "")  # noqa: PERF401 (what came before the error counts)
    assert "".join(received) == " word1 word2 word3"


async def test_ends_a_stream_without_its_end(server: ModelServer, client: AsyncOpenAI) -> None:
    server.script(Cut(after_tokens=2, clean=True))
    stream = await client.chat.completions.create(model="local", messages=MESSAGES, stream=True)
    chunks = [part async for part in stream]
    assert [part.choices[0].finish_reason for part in chunks] == [None] * 3


async def test_hangs_and_sees_the_client_leave(server: ModelServer, client: AsyncOpenAI) -> None:
    server.script(Hang(), Hang(after_tokens=2))
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.1).chat.completions.create(model="local", messages=MESSAGES, stream=True)
    assert (await server.wait_disconnect(SLOW_SECONDS)).json["messages"] == MESSAGES
    stream = await client.chat.completions.create(model="local", messages=MESSAGES, stream=True)
    assert [await anext(stream) for _ in range(3)]
    await stream.close()
    await server.wait_disconnect(SLOW_SECONDS)
    assert server.disconnects == 2


async def test_stamps_tell_when_they_were_sent(server: ModelServer, client: AsyncOpenAI) -> None:
    server.script(Stamps(20, tokens_per_second=100))
    stamps = [int(stamp) for stamp in (await chat(client)).split()]
    assert len(stamps) == 20
    assert 0.15e9 < stamps[-1] - stamps[0] < 5e9


async def test_many_clients_at_once(server: ModelServer, client: AsyncOpenAI) -> None:
    server.default = Stamps(20, tokens_per_second=200)
    answers = await asyncio.gather(*(chat(client) for _ in range(20)))
    assert [len(answer.split()) for answer in answers] == [20] * 20


async def test_runs_as_a_process_that_does_what_a_message_asks() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.model_server", "--port", "0", "--tokens", "7", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    base_url = (await process.stdout.readline()).decode().strip()
    async with AsyncOpenAI(base_url=base_url, api_key="key") as client:
        for message, count in (("hello", 7), ("3 tokens at 500 per second", 3), ("40 tokens", 40)):
            messages: Any = [{"role": "user", "content": message}]
            stream = await client.responses.create(model="local", input=messages, stream=True)
            deltas = [event.delta async for event in stream if event.type == "response.output_text.delta"]
            assert len(deltas) == count
    process.terminate()
    assert await process.wait() == 0


async def test_an_open_answer_goes_on_until_it_is_finished(server: ModelServer, client: AsyncOpenAI) -> None:
    answer = OpenAnswer("Once ", "The end.", tokens_per_second=1_000)
    server.script(answer, answer)
    stream = await client.chat.completions.create(model="local", messages=MESSAGES, stream=True)
    text = ""
    async for part in stream:
        text += part.choices[0].delta.content or "" if part.choices else ""
        if "word120" in text:
            answer.finish()
    words = text.replace(".\n\n", "").split()
    assert words[:3] == ["Once", "word1", "word2"]
    assert text.endswith("The end.")
    assert await chat(client) == "Once The end."


async def test_an_open_answer_may_be_silent_until_it_is_finished(server: ModelServer, client: AsyncOpenAI) -> None:
    server.default = answer = OpenAnswer("Well", ", that is all.", tokens_per_second=None)
    stream = await client.chat.completions.create(model="local", messages=MESSAGES, stream=True)
    parts = [await anext(stream) for _ in range(2)]
    assert parts[1].choices[0].delta.content == "Well"
    answer.finish()
    rest = "".join([part.choices[0].delta.content or "" async for part in stream if part.choices])
    assert rest == ", that is all."


async def test_a_reset_cuts_answers_off_and_forgets_them(server: ModelServer, client: AsyncOpenAI) -> None:
    server.default = OpenAnswer("Well")
    server.script(OpenAnswer("Well"), Text("left over"))
    stream = await client.chat.completions.create(model="local", messages=MESSAGES, stream=True)
    await anext(stream)
    await server.reset()
    with pytest.raises(openai.APIConnectionError):
        async for _ in stream:
            pass
    assert (server.disconnects, len(server.requests)) == (0, 0)
    assert await chat(client) == "Hello from the model server."
