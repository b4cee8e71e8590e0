"""What servers tell of a model's context window, in their lists and in their refusals; the estimate of tokens."""

import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from agent_service.errors import ContextTooLong
from agent_service.models.wire import ContextWindow, WireClient, context_window
from agent_service.models.wire.context_window import LEAST, UNKNOWN
from agent_service.models.wire.provider_errors import failure
from agent_service.token_estimate import estimated_tokens
from standalone.testing import SLOW_SECONDS

Answers = dict[str, Any]


class Lookups:
    """A server with these answers, by path. `asked`: the paths of the requests."""

    def __init__(self) -> None:
        self.answers: Answers = {}
        self.asked: list[str] = []
        self.port = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path not in self.answers:
            return web.Response(status=404, text="Not found")
        found = self.answers[request.path]
        return web.Response(text=found if isinstance(found, str) else json.dumps(found))


@pytest.fixture
async def server() -> AsyncGenerator[Lookups]:
    lookups = Lookups()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", lookups.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    lookups.port = runner.addresses[0][1]
    yield lookups
    await runner.cleanup()


@pytest.fixture
async def client(server: Lookups) -> AsyncGenerator[WireClient]:
    opened = WireClient(f"http://127.0.0.1:{server.port}/v1", None, SLOW_SECONDS)
    yield opened
    await opened.close()


def listed(**fields: Any) -> Answers:
    return {"/v1/models": {"data": [{"id": "other", "max_model_len": 999}, {"id": "m", **fields}]}}


OLLAMA: Answers = listed(owned_by="library")


@pytest.mark.parametrize(
    ("answers", "tokens"),
    [
        (listed(max_model_len=4096), 4096),
        (listed(context_length=200_000, top_provider={"context_length": 32_768}), 32_768),
        (listed(context_length=200_000, top_provider={"context_length": None}), 200_000),
        (listed(context_window=131_072), 131_072),
        (listed(max_context_length=32_768), 32_768),
        (listed(meta={"n_ctx_train": 131_072}), 131_072),
        (listed(meta={"n_ctx_train": 131_072}) | {"/props": {"default_generation_settings": {"n_ctx": 2048}}}, 2048),
        (listed(owned_by="llamacpp") | {"/props": {"default_generation_settings": {"n_ctx": 2048}}}, 2048),
        (OLLAMA | {"/api/ps": {"models": [{"name": "m:latest", "context_length": 8192}]}}, 8192),
        (OLLAMA | {"/api/ps": {"models": []}, "/api/show": {"parameters": "stop x\nnum_ctx    16384\n"}}, 16_384),
        (OLLAMA | {"/api/show": {"parameters": "", "model_info": {"llama.context_length": 131_072}}}, 4096),
        (OLLAMA | {"/api/show": {"model_info": {"tiny.context_length": 2048}}}, 2048),
        ({"/api/v0/models": {"data": [{"id": "m", "loaded_context_length": 4096, "max_context_length": 8192}]}}, 4096),
        ({"/api/v0/models": {"data": [{"id": "m", "max_context_length": 8192}]}}, 8192),
        ({}, None),
        (listed(), None),
        (listed(max_model_len="4096"), None),
        (listed(max_model_len=0), None),
        (listed(max_model_len=True, context_length=-1, meta=[], top_provider=7), None),
        ({"/v1/models": "<html>"}, None),
        ({"/v1/models": []}, None),
        ({"/v1/models": {"data": [None, 7, "m"]}}, None),
        (OLLAMA | {"/api/ps": {"models": {"m": 1}}, "/api/show": [1], "/api/v0/models": "[" * 9_000}, None),
    ],
)
async def test_what_servers_tell(server: Lookups, client: WireClient, answers: Answers, tokens: int | None) -> None:
    server.answers = answers
    window = ContextWindow(client, None)
    await window.look_up("m")
    assert window.known == tokens
    assert window.tokens == (tokens or UNKNOWN)


async def test_what_is_set_is_not_asked(server: Lookups, client: WireClient) -> None:
    window = ContextWindow(client, 5_000)
    await window.look_up("m")
    assert (window.tokens, server.asked) == (5_000, [])


async def test_a_server_is_asked_again_after_a_while(
    server: Lookups, client: WireClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = listed(max_model_len=8192)
    window = ContextWindow(client, None)
    await window.look_up("m")
    await window.look_up("m")
    assert len(server.asked) == 1
    window.refused(sent=9_000, limit=2_000)
    monkeypatch.setattr(context_window, "FRESH_SECONDS", 0)
    await window.look_up("m")
    assert window.tokens == 2_000  # it says the same as before, and has refused
    server.answers = listed(max_model_len=16_384)
    await window.look_up("m")
    assert window.tokens == 16_384
    server.answers = {}
    await window.look_up("m")
    assert window.tokens == 16_384


async def test_a_model_that_ollama_has_not_loaded_yet_is_asked_for_again(server: Lookups, client: WireClient) -> None:
    server.answers = OLLAMA | {"/api/show": {"model_info": {"llama.context_length": 131_072}}}
    window = ContextWindow(client, None)
    await window.look_up("m")
    assert window.tokens == 4096
    server.answers = OLLAMA | {"/api/ps": {"models": [{"name": "m:latest", "context_length": 65_536}]}}
    await window.look_up("m")
    assert window.tokens == 65_536


async def test_no_server_is_no_error() -> None:
    client = WireClient("http://127.0.0.1:1/v1", None, SLOW_SECONDS)
    window = ContextWindow(client, None)
    await window.look_up("m")
    assert window.known is None
    await client.close()


def test_what_a_refusal_means() -> None:
    window = ContextWindow(None, None)
    window.refused(sent=20_000, limit=8_000)
    assert window.tokens == 8_000
    window.refused(sent=7_000, limit=8_000)  # less than the limit by the estimate, which was too low
    assert window.tokens == 5_250
    window.refused(sent=4_000, limit=None)
    assert window.tokens == 3_000
    window.refused(sent=1_100, limit=10)
    assert window.tokens == LEAST


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("This model's maximum context length is 8192 tokens. However, your messages resulted in 10000 tokens.", 8192),
        ("maximum context length is 4096 tokens. However, you requested 4500 tokens (4000 in the messages)", 4096),
        ("This model's maximum context length is 1,048,576 tokens, and you sent 1,200,000", 1_048_576),
        ("The decoder prompt (length 5000) is longer than the maximum model length of 4096.", 4096),
        ("request (5005 tokens) exceeds the available context size (4096 tokens), try increasing it", 4096),
        ("the model is loaded with context length of only 4096 tokens, but got 5000", 4096),
        ("prompt is too long: 210000 tokens > 200000 maximum", 200_000),
        ("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", 200_000),
        ("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", 1_048_576),
        ("Prompt contains 40000 tokens, too large for model with 32768 maximum context length", 32_768),
        ("Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 7321", 6000),
        ("Input validation error: `inputs` must have less than 4096 tokens. Given: 5000", 4096),
        ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens", 4096),
        ("too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000.", 4081),
        ("This model's maximum prompt length is 131072 but the request contains 537812 tokens.", 131_072),
        ("The input (5000 tokens) is longer than the model's context length (4096 tokens).", 4096),
        ("Your input exceeds the context window of this model.", None),
        ("Please reduce the length of the messages or completion.", None),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        lambda message: {"error": {"message": message, "type": "invalid_request_error", "param": None}},
        lambda message: {"object": "error", "message": message, "code": 400},
        lambda message: {"error": message},
        lambda message: {"detail": [{"msg": message, "input": "limit 999"}]},
        str,
    ],
)
def test_the_limit_that_an_error_names(body: Callable[[str], Any], message: str, limit: int | None) -> None:
    failed = failure(400, body(message))
    assert isinstance(failed, ContextTooLong)
    assert (failed.limit, failed.retryable) == (limit, False)


def test_the_limit_of_llama_cpp() -> None:
    body = {
        "code": 400,
        "type": "exceed_context_size_error",
        "message": "too long",
        "n_prompt_tokens": 5,
        "n_ctx": 2048,
    }
    failed = failure(400, {"error": body})
    assert isinstance(failed, ContextTooLong)
    assert failed.limit == 2048


@pytest.mark.parametrize(
    ("text", "at_least"),
    [  # what OpenAI's o200k finds
        ("Can you please put milk, eggs and bread on my shopping list?", 14),
        ("人人生而自由，在尊严和权利上一律平等。", 15),
        ("Все люди рождаются свободными и равными в своем достоинстве и правах.", 17),
        ("0199c3f2-51b4-7d20-a6c1-93e7284f6b15", 27),
        ("😀🔥🎉", 4),
        ("", 0),
    ],
)
def test_tokens_are_estimated_upward(text: str, at_least: int) -> None:
    assert at_least <= estimated_tokens(text) <= 3 * at_least + 3


@given(st.text(), st.text())
def test_the_estimate_grows_with_the_text(one: str, two: str) -> None:
    """And halves have as much together as the whole, but for rounding."""
    whole, parts = estimated_tokens(one + two), estimated_tokens(one) + estimated_tokens(two)
    assert whole <= parts <= whole + 1
    assert estimated_tokens(one + "x") >= estimated_tokens(one)
