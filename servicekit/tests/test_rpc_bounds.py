"""Requests in progress: the limit, what happens to them at a stop, the trace that they carry, and replicas."""

import asyncio
from contextlib import suppress

import pytest
from nats.aio.client import Client
from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from contracts import errors
from servicekit import bus, rpc
from servicekit.rpc import server
from standalone.testing import SLOW_SECONDS, until

from .echo import ECHO, EchoRequest, EchoResponse, Handler, echo, serving


class Gate:
    """A handler that blocks its calls until it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.inside = 0
        self.most = 0
        self.entered = asyncio.Condition()

    async def handle(self, request: EchoRequest) -> EchoResponse:
        async with self.entered:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.entered.notify_all()
        await self.opened.wait()
        self.inside -= 1
        return EchoResponse(text=request.text)

    async def full(self, count: int) -> None:
        async with self.entered, asyncio.timeout(SLOW_SECONDS):
            await self.entered.wait_for(lambda: self.inside >= count)


async def test_no_more_calls_at_once_than_allowed(service, caller):
    gate = Gate()
    async with serving(service, gate.handle, max_concurrent=3):
        calls = [asyncio.create_task(rpc.call(caller, ECHO, EchoRequest(text=f"{number}"))) for number in range(10)]
        await gate.full(3)
        await caller.flush()
        gate.opened.set()
        assert [answer.text for answer in await asyncio.gather(*calls)] == [f"{number}" for number in range(10)]
    assert gate.most == 3


async def test_a_full_service_says_so_at_once(service, caller, monkeypatch):
    monkeypatch.setattr(server, "MAX_WAITING", 2)
    gate = Gate()
    async with serving(service, gate.handle, max_concurrent=1):
        calls = [asyncio.create_task(rpc.call(caller, ECHO, EchoRequest())) for _ in range(3)]
        await gate.full(1)
        await caller.flush()
        with pytest.raises(errors.ServiceUnavailable):
            await rpc.call(caller, ECHO, EchoRequest())
        gate.opened.set()
        assert len(await asyncio.gather(*calls)) == 3


async def test_a_slow_call_keeps_no_other_waiting(service, caller):
    gate = Gate()

    async def handler(request: EchoRequest) -> EchoResponse:
        return await (gate.handle(request) if request.text == "slow" else echo(request))

    async with serving(service, handler):
        slow = asyncio.create_task(rpc.call(caller, ECHO, EchoRequest(text="slow")))
        await gate.full(1)
        assert (await rpc.call(caller, ECHO, EchoRequest(text="quick"))).text == "quick"
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
    calls = [asyncio.create_task(rpc.call(caller, ECHO, EchoRequest(text=f"{number}"))) for number in range(5)]
    await gate.full(2)
    stop.set()
    async with asyncio.timeout(SLOW_SECONDS):
        while True:  # until the broker has processed the unsubscribe
            try:
                await rpc.call(caller, ECHO, EchoRequest(), timeout=0.1)
            except errors.ServiceUnavailable as refused:
                if type(refused.__cause__).__name__ == "NoRespondersError":
                    break
    assert not stopped.is_set()
    gate.opened.set()
    assert [answer.text for answer in await asyncio.gather(*calls)] == [f"{number}" for number in range(5)]
    await asyncio.wait_for(running, SLOW_SECONDS)


async def answering(caller: Client, gate: Gate) -> None:
    """Returns once the service answers."""
    gate.opened.set()

    async def look() -> bool:
        with suppress(errors.ServiceUnavailable):
            return bool(await rpc.call(caller, ECHO, EchoRequest(), timeout=0.5))
        return False

    await until("a service that answers", look)
    gate.opened.clear()


async def test_a_stop_does_not_wait_for_ever(service, caller, monkeypatch):
    monkeypatch.setattr(server, "DRAIN_SECONDS", 0.2)
    gate = Gate()
    async with serving(service, gate.handle):
        call = asyncio.create_task(rpc.call(caller, ECHO, EchoRequest(), timeout=10 * SLOW_SECONDS))
        await gate.full(1)
    assert not call.done()  # it gets no answer any more
    call.cancel()


async def test_the_trace_goes_with_the_call(service, caller):
    seen: list[SpanContext] = []

    async def handler(_: EchoRequest) -> EchoResponse:
        seen.append(trace.get_current_span().get_span_context())
        return EchoResponse(text="")

    span = SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False, trace_flags=TraceFlags(1))
    async with serving(service, handler):
        token = context.attach(trace.set_span_in_context(NonRecordingSpan(span)))
        try:
            await rpc.call(caller, ECHO, EchoRequest())
        finally:
            context.detach(token)
        await rpc.call(caller, ECHO, EchoRequest())
    assert (seen[0].trace_id, seen[0].span_id, seen[0].is_remote) == (0xABC, 0xDEF, True)
    assert not seen[1].is_valid


async def test_replicas_share_the_calls(broker, caller):
    counts = [0, 0]

    def counting(number: int) -> Handler:
        async def handler(request: EchoRequest) -> EchoResponse:
            counts[number] += 1
            return await echo(request)

        return handler

    async with (
        bus.connected(broker.url("notes-service"), "first") as first,
        bus.connected(broker.url("notes-service"), "second") as second,
        serving(first, counting(0)),
        serving(second, counting(1)),
    ):
        await asyncio.gather(*(rpc.call(caller, ECHO, EchoRequest()) for _ in range(100)))
    assert sum(counts) == 100
    assert min(counts) > 10


async def test_two_hundred_calls_at_once_are_all_answered(service, caller):
    async with serving(service, echo):
        answers = await asyncio.gather(
            *(rpc.call(caller, ECHO, EchoRequest(text=f"{number}")) for number in range(200))
        )
    assert [answer.text for answer in answers] == [f"{number}" for number in range(200)]
