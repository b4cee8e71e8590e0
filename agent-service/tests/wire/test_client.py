"""The client against a real socket: connections, time, addresses, and what servers answer instead of an answer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from agents import ModelSettings
from agents.models.interface import ModelTracing
from structlog.testing import capture_logs

from agent_service.errors import ModelFailed
from agent_service.models.wire import Api, FinishedResponse, HttpModel, WireClient, provider_errors
from tests.model_server import Cut, Hang, ModelServer, Replay, Status, Text

from .bodies import CASES, DONE, STOP, Case, Recorder, data, delta, response, texts

KEY = "sk-very-secret"


@asynccontextmanager
async def client(url: str, silence: float = 5.0, key: str | None = KEY) -> AsyncGenerator[WireClient]:
    opened = WireClient(url, key, silence)
    try:
        yield opened
    finally:
        await opened.close()


async def ask(opened: WireClient, api: Api = "chat", listener: Recorder | None = None) -> FinishedResponse:
    model = HttpModel("m", opened, api)
    return await model.respond(listener or Recorder(), "Be brief.", "Hello", ModelSettings(), [])


async def failed(opened: WireClient, listener: Recorder | None = None) -> ModelFailed:
    with pytest.raises(ModelFailed) as raised:
        await ask(opened, listener=listener)
    return raised.value


def text_of(whole: FinishedResponse) -> str:
    return "".join(part.text for item in whole.response.output if item.type == "message" for part in item.content)  # pyright: ignore


@pytest.mark.parametrize("case", [case for case in CASES if not case.calls], ids=str)
async def test_every_body_over_a_socket(case: Case) -> None:
    """In parts of the size of a token."""
    parts = [case.body[at : at + 60] for at in range(0, len(case.body), 60)]
    listener = Recorder()
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Replay(parts, case.status, case.content_type))
        if case.fails is None:
            whole = await ask(opened, case.api, listener)
            assert whole.finish_reason == case.finish
        else:
            with pytest.raises(ModelFailed) as raised:
                await ask(opened, case.api, listener)
            assert raised.value.message == case.fails
    assert listener.received == (case.text, case.reasoning, [])


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_a_connection_is_kept_and_the_key_is_in_the_header(api: Api) -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.default = Text("one two three")
        for _ in range(3):
            assert text_of(await ask(opened, api)) == "one two three"
        assert server.connections == 1
        request = server.requests[-1]
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.path == ("/v1/chat/completions" if api == "chat" else "/v1/responses")
    assert KEY not in str(request.json)


async def test_a_connection_that_was_closed_meanwhile_is_replaced() -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Text("one"), Cut(after_tokens=0))
        await ask(opened)
        with pytest.raises(ModelFailed):
            await ask(opened)
        assert text_of(await ask(opened)) == "Hello from the model server."


async def test_without_a_key_there_is_no_header() -> None:
    async with ModelServer() as server, client(server.base_url, key=None) as opened:
        await ask(opened)
        assert "authorization" not in server.requests[-1].headers


class Waiting(Recorder):
    """Says when the first text has come."""

    def __init__(self) -> None:
        super().__init__()
        self.began = asyncio.Event()

    def text(self, text: str) -> None:
        super().text(text)
        self.began.set()


async def test_cancelled_it_closes_the_connection_at_once() -> None:
    listener = Waiting()
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Text("word " * 500, tokens_per_second=100))
        asking = asyncio.create_task(ask(opened, listener=listener))
        await asyncio.wait_for(listener.began.wait(), 5)
        asking.cancel()
        await server.wait_disconnect(1.0)
        with pytest.raises(asyncio.CancelledError):
            await asking


@pytest.mark.parametrize("step", [Hang(), Hang(after_tokens=3)])
async def test_silence(step: Hang) -> None:
    async with ModelServer() as server, client(server.base_url, silence=0.2) as opened:
        server.script(step)
        error = await failed(opened)
        await server.wait_disconnect(1.0)
    assert (error.code, error.message) == ("timeout", provider_errors.SILENT)


@pytest.mark.parametrize("sign", [b": PROCESSING\n\n", b"data:\n\n", delta(content=""), b"\n"])
async def test_signs_of_life_are_no_silence(sign: bytes) -> None:
    async with ModelServer() as server, client(server.base_url, silence=0.3) as opened:
        server.script(Replay([*[sign] * 10, texts("Alive."), STOP], pause=0.1))
        assert text_of(await ask(opened)) == "Alive."


async def test_nothing_but_signs_of_life_comes_to_an_end() -> None:
    async with ModelServer() as server, client(server.base_url, silence=0.1) as opened:
        server.script(Replay([b": PROCESSING\n\n"] * 200, pause=0.02))
        error = await failed(opened)
    assert error.code == "timeout"


async def test_what_hangs_after_the_end_of_the_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_service.models.wire.client.LINGER_SECONDS", 0.1)
    ends = [[texts("Good.") + delta("stop")], [texts("Good.") + DONE], [texts("Good.") + STOP.removesuffix(DONE)]]
    async with ModelServer() as server, client(server.base_url) as opened:
        for parts in ends:
            server.script(Replay([*parts, b": \n\n"], pause=3))
            async with asyncio.timeout(2):
                assert text_of(await ask(opened)) == "Good."
        await server.wait_disconnect(2)


async def test_cut_after_the_end_is_no_cut() -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Replay([texts("Good.") + delta("stop")], is_cut=True), Replay([texts("Good.")], is_cut=True))
        assert text_of(await ask(opened)) == "Good."
        assert (await failed(opened)).message == provider_errors.CUT


async def test_no_server() -> None:
    async with client("http://127.0.0.1:9/v1") as opened:
        error = await failed(opened)
        assert (error.code, error.message, error.retryable) == ("model_unavailable", provider_errors.UNREACHABLE, True)


@pytest.mark.parametrize("url", ["127.0.0.1:1/v1", "http://127.0.0.1:port/v1", "ftp://127.0.0.1/v1", "", "http:///v1"])
async def test_an_address_that_is_none(url: str) -> None:
    async with client(url) as opened:
        error = await failed(opened)
    assert (error.code, error.message) == ("model_rejected", provider_errors.NOT_A_SERVER)


async def test_an_address_without_its_path() -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Status(404, message="Not Found"))
        assert (await failed(opened)).message == provider_errors.NOT_A_SERVER


async def test_an_unknown_model_is_told_with_those_that_there_are() -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Status(404, message="model 'm' not found"))
        error = await failed(opened)
    assert (error.code, error.message) == ("model_rejected", f"{provider_errors.UNKNOWN_MODEL} It offers: local.")


async def test_how_long_a_server_wants_us_to_wait() -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Status(429, retry_after=7))
        error = await failed(opened)
    assert (error.code, error.retry_after) == ("rate_limited", 7)


async def test_a_server_that_repeats_the_key_does_not_get_it_into_the_log() -> None:
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Status(401, message=f"Incorrect API key provided: {KEY}."))
        with capture_logs() as logs:
            error = await failed(opened)
    assert provider_errors.KEY in str(logs)
    assert KEY not in f"{logs}{error!r}{error.message}"


async def test_a_long_answer_in_large_parts() -> None:
    text = "Grüße, “friend”. " * 20_000
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Replay([texts(text) + STOP]))
        assert text_of(await ask(opened)) == text


async def test_an_event_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_service.models.wire.sse.MAX_EVENT_BYTES", 100_000)
    monkeypatch.setattr("agent_service.models.wire.response_body.MAX_DOCUMENT_BYTES", 100_000)
    async with ModelServer() as server, client(server.base_url) as opened:
        for start in (b"data: {", b"{"):
            server.script(Replay([start, *[b"x" * 10_000] * 20]))
            assert (await failed(opened)).message == provider_errors.BROKEN


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_as_a_model_of_the_sdk(api: Api) -> None:
    body = texts("Good.") + STOP if api == "chat" else response("response.completed", item("Good."))
    arguments: Any = ("Be brief.", "Hello", ModelSettings(), [], None, [], ModelTracing.DISABLED)
    more: Any = {"previous_response_id": None, "conversation_id": None, "prompt": None}
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Replay([body]), Replay([body]))
        model = HttpModel("m", opened, api)
        whole = await model.get_response(*arguments, **more)
        (event,) = [event async for event in model.stream_response(*arguments, **more)]
    assert event.type == "response.completed"
    assert [item.type for item in whole.output] == [item.type for item in event.response.output] == ["message"]
    assert (whole.usage.requests, whole.usage.input_tokens) == (1, 21)


def item(text: str) -> dict[str, Any]:
    return {"type": "message", "id": "msg", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


async def test_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        body = texts("By proxy.") + STOP
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://ada:secret@127.0.0.1:{port}")
    monkeypatch.setenv("no_proxy", "here.test")
    async with proxy, client("http://models.test/v1") as opened, client("http://here.test:9/v1") as direct:
        assert text_of(await ask(opened)) == "By proxy."
        assert (await failed(direct)).message == provider_errors.UNREACHABLE
    assert requests[0].startswith(b"POST http://models.test/v1/chat/completions ")
    assert b"Proxy-Authorization: Basic " in requests[0]


async def test_a_redirect_to_another_server_does_not_get_the_key() -> None:
    requests: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>")
        await writer.drain()
        writer.close()

    async def first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        port = other.sockets[0].getsockname()[1]
        writer.write(b"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:%d/\r\ncontent-length: 0\r\n\r\n" % port)
        await writer.drain()
        writer.close()

    other = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
    server = await asyncio.start_server(first, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with other, server, client(url) as opened:
        assert (await failed(opened)).message == provider_errors.NOT_A_SERVER
    assert KEY.encode() not in requests[0]


async def test_signs_of_life_after_the_end_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_service.models.wire.client.LINGER_SECONDS", 0.2)
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Replay([texts("Good.") + delta("stop"), *[b": \n\n"] * 40], pause=0.05))
        async with asyncio.timeout(1):
            assert text_of(await ask(opened)) == "Good."


async def test_the_log_has_the_codes_of_an_error_and_nothing_that_it_quotes() -> None:
    """A server may repeat the key, the request or the answer so far."""
    body = {"message": f"Slow down, {KEY}: my diary", "code": 429, "type": "too_many", "param": "my diary"}
    async with ModelServer() as server, client(server.base_url) as opened:
        server.script(Replay([texts("my diary"), data({"error": body})]))
        server.default = Status(400, message="my diary")
        with capture_logs() as logs:
            assert (await failed(opened)).code == "rate_limited"
            assert (await failed(opened)).code == "model_rejected"
    in_answer, in_place, *_ = logs
    assert (in_answer["codes"], in_answer["meaning"]) == (["429", "too_many"], provider_errors.BUSY)
    assert (in_place["status"], in_place["meaning"]) == (400, provider_errors.REFUSED)
    assert KEY not in str(logs)
    assert "diary" not in str(logs)
