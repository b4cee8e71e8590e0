"""Request and reply over a real broker: what arrives, how errors travel, what is bounded, and how it ends."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from contracts.rpc import server
from nats.aio.client import Client
from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from pydantic import BaseModel, Field
from standalone.nats import Nats
from standalone.testing import connection
from structlog.testing import capture_logs

from contracts import bus, errors, rpc


class Asked(BaseModel):
    text: str = Field(default="", max_length=5_000_000)
    secret: int = 0


class Answered(BaseModel):
    text: str


ECHO = rpc.Operation("notes.echo", Asked, Answered)
OTHER = rpc.Operation("notes.other", Asked, Answered)
Handler = Callable[[Asked], Awaitable[Answered]]


@pytest.fixture
async def service(broker: Nats) -> AsyncGenerator[Client]:
    """Connected as the notes service, with its permissions."""
    async with bus.connected(broker.url("notes-service"), "service") as nc:
        yield nc


@pytest.fixture
async def caller(broker: Nats) -> AsyncGenerator[Client]:
    async with bus.connected(broker.url("gateway"), "caller") as nc:
        yield nc


@asynccontextmanager
async def serving(nc: Client, handler: Handler, **options: int) -> AsyncGenerator[None]:
    handlers = rpc.Handlers()
    handlers.add(ECHO, handler)
    async with rpc.serve(nc, "echo", "1.2.3", handlers, queue_group="echo", **options):
        yield


async def echo(asked: Asked) -> Answered:
    return Answered(text=asked.text)


async def raising(error: Exception) -> Handler:
    async def handler(_: Asked) -> Answered:
        raise error

    return handler


@pytest.mark.parametrize("text", ["", "plain", "\0\r\n\u2028😀é", '"\\' * 100, "x" * 1_000_000])
async def test_what_is_asked_and_answered_arrives(service, caller, text):
    async with serving(service, echo):
        assert await rpc.call(caller, ECHO, Asked(text=text)) == Answered(text=text)


EVERY_ERROR = [
    errors.NotFound(),
    errors.NotFound("There is no note “Ünïcode”,\r\nNats-Service-Error-Code: 200\r\n\r\nover two lines"),
    errors.AuthRequired(),
    errors.InvalidCredentials(),
    errors.Forbidden(),
    errors.UsernameTaken(),
    errors.RunActive(run_id="01a1f803-1bb6-71cb-a4bd-11a0ef1419e7"),
    errors.QuotaExceeded(),
    errors.CursorExpired(),
    errors.VersionConflict(current={"title": "Ünïcode", "body": "x" * 300_000, "tags": [], "version": 3}),
    errors.PayloadTooLarge(),
    errors.ValidationFailed(errors=[{"field": "title", "message": "is too long"}]),
    errors.RateLimited(retry_after=7),
    errors.ServiceUnavailable(retry_after=3),
]


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: error.code)
async def test_an_error_arrives_as_it_was_raised(service, caller, error):
    async with serving(service, await raising(error)):
        with pytest.raises(type(error)) as raised:
            await rpc.call(caller, ECHO, Asked())
    assert raised.value.details == error.details
    assert raised.value.message.split() == error.message.split()  # a header has no line breaks


def test_every_error_is_tried():
    assert {error.code for error in EVERY_ERROR} == set(errors.BY_CODE) - {errors.Internal.code}


async def test_the_headers_of_an_error_are_those_of_the_micro_protocol(service, caller):
    async with serving(service, await raising(errors.RateLimited("Slow down.", retry_after=7))):
        reply = await caller.request(ECHO.subject, b"{}", timeout=5)
    assert reply.headers == {
        "Nats-Service-Error": "Slow down.",
        "Nats-Service-Error-Code": "429",
        "Inkstream-Error-Code": "rate_limited",
    }
    assert reply.data == b'{"retry_after":7}'


async def test_an_unknown_error_is_logged_and_tells_nothing(service, caller):
    with capture_logs() as logged:
        async with serving(service, await raising(RuntimeError("password=hunter2"))):
            reply = await caller.request(ECHO.subject, b'{"text":"x"}', timeout=5)
            with pytest.raises(errors.Internal) as raised:
                await rpc.call(caller, ECHO, Asked())
    assert "hunter2" not in f"{reply.headers} {reply.data}"
    assert raised.value.message == errors.Internal.__doc__
    assert [(entry["event"], entry["subject"]) for entry in logged] == [("request failed", ECHO.subject)] * 2
    assert all(entry["exc_info"] for entry in logged)


async def test_an_answer_that_is_no_model_is_an_internal_error(service, caller):
    async def nothing(_: Asked) -> Answered:
        return None  # pyright: ignore[reportReturnType]

    with capture_logs():
        async with serving(service, nothing):
            with pytest.raises(errors.Internal):
                await rpc.call(caller, ECHO, Asked())


async def test_an_answer_the_broker_does_not_take_is_an_error_and_not_silence(service, caller):
    async def large(_: Asked) -> Answered:
        return Answered(text="x" * 5_000_000)

    with capture_logs() as logged:
        async with serving(service, large):
            started = time.monotonic()
            with pytest.raises(errors.Internal):
                await rpc.call(caller, ECHO, Asked())
            assert time.monotonic() - started < 3
    assert logged


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        (b"", [""]),
        (b"not json", [""]),
        (b"[]", [""]),
        (b'{"text":5}', ["text"]),
        (b'{"text":null,"secret":"hunter2"}', ["text", "secret"]),
        (b'{"text":"\\ud800"}', [""]),
    ],
)
async def test_a_request_that_is_not_valid_names_the_fields_and_never_the_values(service, caller, payload, fields):
    async with serving(service, echo):
        reply = await caller.request(ECHO.subject, payload, timeout=5)
    error = rpc.headers.read_error(reply.headers, reply.data)
    assert isinstance(error, errors.ValidationFailed)
    assert [problem["field"] for problem in error.details["errors"]] == fields
    assert all(problem["message"] for problem in error.details["errors"])
    assert b"hunter2" not in reply.data


async def test_a_validation_error_inside_a_handler_is_the_services_fault(service, caller):
    async def broken(_: Asked) -> Answered:
        return Answered.model_validate({"text": 5})

    with capture_logs() as logged:
        async with serving(service, broken):
            with pytest.raises(errors.Internal):
                await rpc.call(caller, ECHO, Asked())
    assert logged


async def test_nobody_there_is_told_at_once(caller):
    started = time.monotonic()
    with pytest.raises(errors.ServiceUnavailable):
        await rpc.call(caller, OTHER, Asked())
    assert time.monotonic() - started < 1


async def test_silence_is_told_after_the_timeout(service, caller):
    release = asyncio.Event()

    async def silent(_: Asked) -> Answered:
        await release.wait()
        return Answered(text="late")

    async with serving(service, silent):
        started = time.monotonic()
        with pytest.raises(errors.ServiceUnavailable):
            await rpc.call(caller, ECHO, Asked(), timeout=0.3)
        assert 0.3 <= time.monotonic() - started < 2
        release.set()


async def test_without_a_connection_it_is_told_at_once(broker):
    async with connection(broker, "gateway") as nc:
        pass
    with pytest.raises(errors.ServiceUnavailable):
        await rpc.call(nc, ECHO, Asked())


async def test_a_request_the_broker_does_not_take_is_too_large(service, caller):
    async with serving(service, echo):
        with pytest.raises(errors.PayloadTooLarge):
            await rpc.call(caller, ECHO, Asked(text="x" * 4_900_000))
        assert (await rpc.call(caller, ECHO, Asked(text="still here"))).text == "still here"


class Gate:
    """A handler that holds its calls until it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.inside = 0
        self.most = 0
        self.entered = asyncio.Condition()

    async def handle(self, asked: Asked) -> Answered:
        async with self.entered:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.entered.notify_all()
        await self.opened.wait()
        self.inside -= 1
        return Answered(text=asked.text)

    async def full(self, count: int) -> None:
        async with self.entered, asyncio.timeout(5):
            await self.entered.wait_for(lambda: self.inside >= count)


async def test_no_more_calls_at_once_than_allowed(service, caller):
    gate = Gate()
    async with serving(service, gate.handle, max_concurrent=3):
        calls = [asyncio.create_task(rpc.call(caller, ECHO, Asked(text=f"{number}"))) for number in range(10)]
        await gate.full(3)
        await caller.flush()
        gate.opened.set()
        assert [answer.text for answer in await asyncio.gather(*calls)] == [f"{number}" for number in range(10)]
    assert gate.most == 3


async def test_a_full_service_says_so_at_once(service, caller, monkeypatch):
    monkeypatch.setattr(server, "MAX_WAITING", 2)
    gate = Gate()
    async with serving(service, gate.handle, max_concurrent=1):
        calls = [asyncio.create_task(rpc.call(caller, ECHO, Asked())) for _ in range(3)]
        await gate.full(1)
        await caller.flush()
        with pytest.raises(errors.ServiceUnavailable):
            await rpc.call(caller, ECHO, Asked())
        gate.opened.set()
        assert len(await asyncio.gather(*calls)) == 3


async def test_a_slow_call_keeps_no_other_waiting(service, caller):
    gate = Gate()

    async def handler(asked: Asked) -> Answered:
        return await (gate.handle(asked) if asked.text == "slow" else echo(asked))

    async with serving(service, handler):
        slow = asyncio.create_task(rpc.call(caller, ECHO, Asked(text="slow")))
        await gate.full(1)
        assert (await rpc.call(caller, ECHO, Asked(text="quick"))).text == "quick"
        gate.opened.set()
        assert (await slow).text == "slow"


async def test_a_stop_takes_no_new_call_and_finishes_what_is_under_way(service, caller):
    gate = Gate()
    stop, stopped = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        async with serving(service, gate.handle, max_concurrent=2):
            await stop.wait()
        stopped.set()

    running = asyncio.create_task(run())
    await answering(caller, gate)
    calls = [asyncio.create_task(rpc.call(caller, ECHO, Asked(text=f"{number}"))) for number in range(5)]
    await gate.full(2)
    stop.set()
    async with asyncio.timeout(5):
        while True:  # until the broker knows that nobody listens any more
            try:
                await rpc.call(caller, ECHO, Asked(), timeout=0.1)
            except errors.ServiceUnavailable as refused:
                if type(refused.__cause__).__name__ == "NoRespondersError":
                    break
    assert not stopped.is_set()
    gate.opened.set()
    assert [answer.text for answer in await asyncio.gather(*calls)] == [f"{number}" for number in range(5)]
    await asyncio.wait_for(running, 5)


async def answering(caller: Client, gate: Gate) -> None:
    """Returns once the service listens."""
    gate.opened.set()
    async with asyncio.timeout(5):
        while True:
            try:
                await rpc.call(caller, ECHO, Asked(), timeout=0.5)
                break
            except errors.ServiceUnavailable:
                await asyncio.sleep(0.01)
    gate.opened.clear()


async def test_a_stop_does_not_wait_for_ever(service, caller, monkeypatch):
    monkeypatch.setattr(server, "DRAIN_SECONDS", 0.2)
    gate = Gate()
    async with serving(service, gate.handle):
        call = asyncio.create_task(rpc.call(caller, ECHO, Asked(), timeout=5))
        await gate.full(1)
        started = time.monotonic()
    assert time.monotonic() - started < 2
    with pytest.raises(errors.ServiceUnavailable):
        await call


async def test_the_trace_goes_with_the_call(service, caller):
    seen: list[SpanContext] = []

    async def handler(_: Asked) -> Answered:
        seen.append(trace.get_current_span().get_span_context())
        return Answered(text="")

    span = SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False, trace_flags=TraceFlags(1))
    async with serving(service, handler):
        token = context.attach(trace.set_span_in_context(NonRecordingSpan(span)))
        try:
            await rpc.call(caller, ECHO, Asked())
        finally:
            context.detach(token)
        await rpc.call(caller, ECHO, Asked())
    assert (seen[0].trace_id, seen[0].span_id, seen[0].is_remote) == (0xABC, 0xDEF, True)
    assert not seen[1].is_valid


async def test_replicas_share_the_calls(broker, caller):
    counts = [0, 0]

    def counting(number: int) -> Handler:
        async def handler(asked: Asked) -> Answered:
            counts[number] += 1
            return await echo(asked)

        return handler

    async with (
        bus.connected(broker.url("notes-service"), "first") as first,
        bus.connected(broker.url("notes-service"), "second") as second,
        serving(first, counting(0)),
        serving(second, counting(1)),
    ):
        await asyncio.gather(*(rpc.call(caller, ECHO, Asked()) for _ in range(100)))
    assert sum(counts) == 100
    assert min(counts) > 10


async def test_two_hundred_calls_at_once_are_all_answered(service, caller):
    async with serving(service, echo):
        answers = await asyncio.gather(*(rpc.call(caller, ECHO, Asked(text=f"{number}")) for number in range(200)))
    assert [answer.text for answer in answers] == [f"{number}" for number in range(200)]
