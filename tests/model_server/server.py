"""The server: answers each request with the next step of the script, and records requests and disconnects."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.model_server import chat_completions, embeddings, responses
from tests.model_server.http import LAST_CHUNK, Connection, Request, chunk, json_answer, read_request, stream_head
from tests.model_server.steps import Calls, Cut, Hang, OpenAnswer, Replay, Stamps, Status, Step, Text
from tests.model_server.window import Window

Format = chat_completions.ChatCompletions | responses.Responses

Default = Step | Callable[[Request], Step]

MAX_RECORDED_REQUESTS = 1_000
BURST_TOKENS = 32
_MODEL_PATHS = (chat_completions.PATH, responses.PATH, embeddings.PATH)
_MESSAGES = {
    400: "The request is not valid.",
    401: "Incorrect API key provided.",
    403: "You are not allowed to use this model.",
    404: "The model does not exist.",
    429: "Rate limit reached.",
}


class ModelServer:
    """`async with ModelServer() as server`: listens on loopback, on a free port unless one is given.

    Each request is answered by the next step of the script; after its end by `default`, a step or a function that
    selects one for a request. `embeddings` answers requests for embeddings. `window`: requests that do not fit into it
    are refused, and no step is taken. `requests`: the newest 1,000 to a model; `lookups`: those about models;
    `disconnects`: the number of clients that disconnected before their answer was complete; `connections`: all clients.
    """

    def __init__(self, *, port: int = 0, default: Default | None = None) -> None:
        self._first_default: Default = default or Text("Hello from the model server.")
        self.default: Default = self._first_default
        self.requests: deque[Request] = deque(maxlen=MAX_RECORDED_REQUESTS)
        self.lookups: deque[Request] = deque(maxlen=MAX_RECORDED_REQUESTS)
        self.window: Window | None = None
        self.embeddings = embeddings.Embeddings()
        self.models: list[str] | None = ["local"]
        """The names in the list of models; None: there is no such list."""
        self.disconnects = 0
        self.connections = 0
        self._port = port
        self._script: deque[Step] = deque()
        self._left: asyncio.Queue[Request] = asyncio.Queue()
        self._hanging: asyncio.Queue[Request] = asyncio.Queue()
        self._connections: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._answers = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def script(self, *steps: Step) -> None:
        self._script.extend(steps)

    async def reset(self) -> None:
        """Resets the server: no script, the first default, nothing recorded. Streaming answers are aborted."""
        cut_off = list(self._answering)
        for connection in cut_off:
            connection.cancel()
        await asyncio.gather(*cut_off, return_exceptions=True)
        self._script.clear()
        self.default = self._first_default
        self.models = ["local"]
        self.window = None
        self.requests.clear()
        self.lookups.clear()
        self._left, self._hanging, self.disconnects = asyncio.Queue(), asyncio.Queue(), 0

    async def wait_disconnect(self, timeout: float) -> Request:
        """The next request whose client disconnected during its answer, each once; `TimeoutError` if there is none."""
        return await asyncio.wait_for(self._left.get(), timeout)

    async def wait_hanging(self, timeout: float) -> Request:
        """The next request that is not answered at all, each once; `TimeoutError` if there is none."""
        return await asyncio.wait_for(self._hanging.get(), timeout)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._connected), "127.0.0.1", self._port, backlog=512
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            while request := await read_request(reader):
                (self.requests if request.path in _MODEL_PATHS else self.lookups).append(request)
                self._answering.add(task)
                if not await self._answered(request, writer):
                    break
                self._answering.discard(task)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._answering.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answered(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Answers a request; False if the connection is closed after it. A client that disconnects ends its answer."""
        connection = writer.transport.get_protocol()
        assert isinstance(connection, Connection)
        answer = asyncio.create_task(self._answer(request, writer))
        gone = asyncio.create_task(connection.left.wait())
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done() and not (isinstance(answer.exception(), ConnectionError)):
                return answer.result()
            self.disconnects += 1
            self._left.put_nowait(request)
            return False
        finally:
            for task in (answer, gone):
                task.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        if request.path == "/v1/models":
            models = [
                {"id": name, "object": "model", "created": 0, "owned_by": "local"}
                | (self.window.described(name) if self.window else {})
                for name in self.models or []
            ]
            is_there = self.models is not None
            writer.write(json_answer(200, {"object": "list", "data": models}) if is_there else _error(404, None, None))
            return True
        if request.path == embeddings.PATH:
            if self.embeddings.held:
                await asyncio.Event().wait()
            writer.write(self.embeddings.answer(request))
            return True
        shape = {chat_completions.PATH: chat_completions.ChatCompletions, responses.PATH: responses.Responses}.get(
            request.path
        )
        if shape is None:
            beside = self.window and self.window.beside_api(request, (self.models or [""])[0])
            writer.write(json_answer(200, beside) if beside else _error(404, None, "Not Found"))
            return True
        if self.window and (refusal := self.window.refusal(request)):
            writer.write(json_answer(400, refusal))
            return True
        step = self._next_step(request)
        if not request.json.get("stream") and not isinstance(step, Replay):
            step = Status(400, message="only streams")
        if isinstance(step, Status):
            writer.write(_error(step.status, step.retry_after, step.message))
            return True
        if isinstance(step, Replay):
            return await _replay(step, writer)
        self._answers += 1
        if isinstance(step, Hang) and step.after_tokens is None:
            self._hanging.put_nowait(request)
        return await _stream(step, shape(request.json, self._answers), writer)

    def _next_step(self, request: Request) -> Step:
        if self._script:
            return self._script.popleft()
        return self.default(request) if callable(self.default) else self.default


async def _replay(step: Replay, writer: asyncio.StreamWriter) -> bool:
    writer.write(stream_head(step.status, step.content_type))
    for part in filter(None, step.parts):  # an empty chunk would be the last one
        writer.write(chunk(part))
        await writer.drain()
        if step.pause:
            await asyncio.sleep(step.pause)
    if step.hangs:
        await asyncio.Event().wait()
    writer.write(b"" if step.is_cut else LAST_CHUNK)
    await writer.drain()
    return not step.is_cut


async def _stream(
    step: Text | Stamps | Calls | Cut | Hang | OpenAnswer, shape: Format, writer: asyncio.StreamWriter
) -> bool:
    if isinstance(step, Hang) and step.after_tokens is None:
        await asyncio.Event().wait()
    writer.write(stream_head() + chunk(shape.begin()))
    if isinstance(step, Calls):
        sent = await _calls(step, shape, writer)
    elif isinstance(step, OpenAnswer):
        sent = 0
        async for token in step.tokens():
            writer.write(chunk(shape.token(token)))
            await writer.drain()
            sent += 1
    else:
        pace = step.tokens_per_second if isinstance(step, (Text, Stamps)) else None
        sent = await _tokens(step.tokens(), pace, shape, writer)
    match step:
        case Hang():
            await asyncio.Event().wait()
        case Cut(clean=clean):
            writer.write(LAST_CHUNK if clean else b"")
            await writer.drain()
            return False
        case _:
            writer.write(chunk(shape.text_done() + shape.end(sent)) + LAST_CHUNK)
            await writer.drain()
    return True


async def _tokens(
    tokens: Iterable[str], tokens_per_second: float | None, shape: Format, writer: asyncio.StreamWriter
) -> int:
    """Sends the tokens on a schedule that does not drift, or in small bursts as fast as the client reads them."""
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    for token in tokens:
        writer.write(chunk(shape.token(token)))
        sent += 1
        if tokens_per_second:
            await asyncio.sleep(began + sent / tokens_per_second - loop.time())
        elif sent % BURST_TOKENS == 0:
            await writer.drain()
            await asyncio.sleep(0)
    return sent


async def _calls(step: Calls, shape: Format, writer: asyncio.StreamWriter) -> int:
    sent = await _tokens(Text(step.text).tokens(), None, shape, writer)
    if step.text:
        writer.write(chunk(shape.text_done() or b"\n"))
    for name, arguments in step.calls:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        writer.write(chunk(shape.call_begins(name)))
        for start in range(0, len(text), step.split):
            writer.write(chunk(shape.call_arguments(text[start : start + step.split])))
            sent += 1
            await asyncio.sleep(0)
        if done := shape.call_done():
            writer.write(chunk(done))
    return sent


def _error(status: int, retry_after: float | None, message: str | None) -> bytes:
    text = message or _MESSAGES.get(status, "The server had an error while processing your request.")
    error = {"message": text, "type": "server_error" if status >= 500 else "invalid_request_error"}
    headers = {"retry_after": f"{retry_after:g}"} if retry_after is not None else {}
    return json_answer(status, {"error": {**error, "param": None, "code": None}}, **headers)
