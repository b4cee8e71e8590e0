"""`python -m bench.harness.model_server`: a model server that speaks OpenAI's Chat Completions, for load.

Used by Inkstream, the references, the peers and the bench itself. One process, a few microseconds per token. The last
user message controls the answer:

- `200 tokens at 50 per second`: that many, on a schedule that does not drift. A token's text is the time at which it
  was sent, in nanoseconds of the system's monotonic clock;
- `30000 tokens`: words, as fast as the client reads them;
- `20000 tokens of table at 1000 per second`: Markdown of that kind (`markdown.py`), with or without a pace;
- `silence`: the answer begins, but never continues;
- `call delete_note {…}`: calls that tool with these arguments; given the result, it answers that it is done.

Prints its address when it listens. `tests/model_server` is another one, which simulates failures for tests.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from itertools import islice, repeat
from typing import Any, cast

import uvloop

from bench.harness import markdown
from bench.harness.child import child, module

MARKDOWN = re.compile(r"(\d{1,7}) tokens of (\w+)(?: at (\d{1,5}) per second)?")
TOKENS_AT_PACE = re.compile(r"(\d{1,7}) tokens at (\d{1,5}) per second")
TOKENS = re.compile(r"(\d{1,7}) tokens")
CALL = re.compile(r"call (\w+) (\{.*?\})")
SILENCE = "silence"
SHORT = json.dumps({"title": "A chat", "tags": ["general"], "follow_ups": ["And then?"]})
"""The answer to requests without streaming: titles, tags and follow-up questions, which peers request."""
BATCH = 16
"""Tokens per write of an unpaced answer."""
STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "local"}


def _event(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return b"data: " + json.dumps(CHUNK | {"choices": [choice]}, separators=(",", ":")).encode() + b"\n\n"


BEGIN = _event({"role": "assistant", "content": "", "refusal": None})
BEFORE, AFTER = _event({"content": "\ue000"}).split(json.dumps("\ue000").encode())
END = b"data: [DONE]\n\n"


def _http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _usage(tokens: int) -> bytes:
    usage = {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": 100 + tokens}
    return b"data: " + json.dumps(CHUNK | {"choices": [], "usage": usage}, separators=(",", ":")).encode() + b"\n\n"


class Connection(asyncio.Protocol):
    """One client connection. Requests are answered one after the other."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None
        self._unpaced: Iterator[bytes] | None = None
        self._count = 0
        self._writable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unpaced = None
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            size = int(length[1]) if length else 0
            if len(rest) < size:
                return
            self._buffer = rest[size:]
            self._answer(head.split(b" ", 1)[0], rest[:size])

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._send_unpaced()

    def _answer(self, method: bytes, body: bytes) -> None:
        if method == b"GET":
            model = {"id": "local", "object": "model", "created": 1, "owned_by": "bench"}
            return self._json({"object": "list", "data": [model]})
        request: dict[str, Any] = json.loads(body)
        if not request.get("stream"):
            message = {"role": "assistant", "content": SHORT}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            return self._json({**CHUNK, "object": "chat.completion", "choices": [choice], "usage": usage})
        self._tells_usage = "include_usage" in (request.get("stream_options") or ())
        self._transport.write(STREAM + _http_chunk(BEGIN))
        self._stream(request["messages"])

    def _stream(self, messages: list[dict[str, Any]]) -> None:
        text = _text(messages[-1])
        if messages[-1]["role"] == "tool":
            self._pace(_stamps(3), 50.0)
        elif call := CALL.search(text):
            self._call(call[1], call[2])
        elif found := MARKDOWN.search(text):
            tokens = (
                json.dumps(token).encode() for token in markdown.tokens_of(markdown.answer(found[2], int(found[1])))
            )
            self._pace(tokens, float(found[3])) if found[3] else self._as_fast_as_read(tokens)
        elif found := TOKENS_AT_PACE.search(text):
            self._pace(_stamps(int(found[1])), float(found[2]))
        elif found := TOKENS.search(text):
            self._as_fast_as_read(repeat(b'" word"', int(found[1])))
        elif SILENCE not in text:
            self._pace(_stamps(20), 50.0)

    def _pace(self, tokens: Iterator[bytes], per_second: float) -> None:
        began, sent = self._loop.time(), 0

        def send() -> None:
            nonlocal sent
            token = next(tokens, None)
            if token is None:
                return self._end(sent)
            self._transport.write(_http_chunk(BEFORE + token + AFTER))
            sent += 1
            self._timer = self._loop.call_at(began + sent / per_second, send)

        send()

    def _as_fast_as_read(self, tokens: Iterator[bytes]) -> None:
        self._unpaced, self._count = tokens, 0
        self._send_unpaced()

    def _send_unpaced(self) -> None:
        while self._writable and self._unpaced is not None:
            batch = list(islice(self._unpaced, BATCH))
            self._count += len(batch)
            self._transport.write(b"".join(_http_chunk(BEFORE + token + AFTER) for token in batch))
            if len(batch) < BATCH:
                self._unpaced = None
                self._end(self._count)

    def _call(self, name: str, arguments: str) -> None:
        call = {"id": f"call_{time.monotonic_ns()}", "type": "function", "function": {"name": name, "arguments": ""}}
        delta = {"index": 0, "function": {"arguments": arguments}}
        self._transport.write(_http_chunk(_event({"tool_calls": [{"index": 0, **call}]})))
        self._transport.write(_http_chunk(_event({"tool_calls": [delta]})))
        self._end(1, "tool_calls")

    def _end(self, tokens: int, finish_reason: str = "stop") -> None:
        usage = _usage(tokens) if self._tells_usage else b""
        self._transport.write(_http_chunk(_event({}, finish_reason) + usage + END) + b"0\r\n\r\n")

    def _json(self, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


def _stamps(count: int) -> Iterator[bytes]:
    return (b'" %d"' % time.monotonic_ns() for _ in range(count))


def _text(message: dict[str, Any]) -> str:
    """A message's content is a text or a list of parts."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(str(part.get("text", "")) for part in content)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@asynccontextmanager
async def model_server() -> AsyncGenerator[str]:
    """Runs the model server; yields its address, without `/v1`."""
    async with child(*module("bench.harness.model_server"), speaks=True) as started:
        yield started.first_line


if __name__ == "__main__":
    uvloop.run(serve())
