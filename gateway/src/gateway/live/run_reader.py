"""Reads one run for one client: listens, reads the log, then follows live. Every event is given out once and in order.

`ReaderStateMachine` decides what is read and what is given out, and states why nothing is lost or repeated. Here are
its inputs and outputs: the subscription, the log, the clock and the client.
"""

import asyncio
from typing import Protocol

from contracts.errors import DomainError, NotFound, ServiceUnavailable
from contracts.run_events import BEFORE_FIRST, EventId
from gateway.live.event import LiveEvent
from gateway.live.reader_state_machine import (
    Backoff,
    Flush,
    GetRun,
    Live,
    ReaderStateMachine,
    ReadLog,
    ReadRetained,
    Rebuild,
    Request,
)
from gateway.live.replay import Replay
from gateway.live.run_log import RunLog
from gateway.live.sources import Sources
from servicekit.background import attempt, report

LOOP = "run reader"


class Sink(Protocol):
    """The client that events are given out to."""

    def put(self, event: LiveEvent) -> None: ...

    def end(self) -> None:
        """`done` was the last event."""
        ...

    async def room(self) -> None:
        """Returns when the client has taken most of what it was given."""
        ...


class RunReader:
    """`after` is the last event that the client has. Call `follow` or `resume` once, and `close` in any
    case."""

    def __init__(self, sources: Sources, user_id: str, run_id: str, sink: Sink, after: EventId = BEFORE_FIRST) -> None:
        self._hub = sources.hub
        self._loops = sources.loops
        self._looks = sources.looks
        self._user_id = user_id
        self._run_id = run_id
        self._sink = sink
        self._log = RunLog(sources, user_id, run_id)
        self._loop = asyncio.get_running_loop()
        self._machine = ReaderStateMachine(after, sources.timeouts, self._give_out, self._loop.time())
        self._recording: Replay | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._closed = False

    async def follow(self) -> None:
        """Begins before the run does, so that there is no log to read."""
        await self._hub.join_run(self._user_id, self._run_id, self)
        self._record()
        self._machine.joined_new(self._loop.time())
        self._start()

    async def resume(self) -> bool:
        """Begins in the middle. False where the client has everything up to `done` already.

        Raises `NotFound` where the user has no such run, `ServiceUnavailable` where the broker is away. An agent
        service that is away is waited for: it may be starting again, and the run with it.
        """
        await self._hub.join_run(self._user_id, self._run_id, self)
        if (replay := self._hub.replay(self._user_id, self._run_id)) is not None:
            events = replay.after(self._machine.last)
            if events is not None and self._machine.has_received_nothing:
                self._machine.joined_replay(events, self._loop.time())
                self._start()
                return True
        if self._machine.last == BEFORE_FIRST:
            self._record()
        newest, last = await self._log.newest(), self._machine.last
        if newest is None:
            try:
                run = await self._log.run()
            except ServiceUnavailable:
                run = None
            self._machine.joined_unlogged(run)
            if run is not None and last.attempt > run.attempt and await self._has_rebuilt(run.attempt):
                return False
        elif newest.is_end and newest.last <= last:
            return False
        else:
            position = await self._log.position_after(last, newest)
            self._machine.joined(position, is_complete=newest.is_end)
        if self._machine.has_ended:
            return False
        self._start()
        return True

    async def _has_rebuilt(self, attempt: int) -> bool:
        """Whether the client has all that the database has of the run."""
        rebuilt = await self._log.rebuilt(attempt, self._machine.last)
        return bool(rebuilt) and rebuilt[-1].id <= self._machine.last

    def close(self) -> None:
        self._closed = True
        if self._recording is not None:
            self._hub.end_recording(self._user_id, self._run_id, self._recording)
        self._machine.close()
        self._hub.leave_run(self._user_id, self._run_id, self)
        self._looks.discard(self._check_silence)
        if self._catching_up and self._catching_up is not asyncio.current_task():
            self._catching_up.cancel()

    def on_event(self, event: LiveEvent) -> None:
        """An event was received live."""
        try:
            self._machine.received(event, self._loop.time())
            if not isinstance(self._machine.phase, Live):
                self._proceed()
        except Exception as error:  # a bug: this stream ends, the others go on
            self._fail(error)

    def on_reconnect(self) -> None:
        """The live connection was lost and is back."""
        self._machine.reconnected()
        self._proceed()

    def _record(self) -> None:
        self._recording = self._hub.record(self._user_id, self._run_id)

    def _give_out(self, event: LiveEvent) -> None:
        if self._recording is not None and not self._recording.add(event):
            self._hub.end_recording(self._user_id, self._run_id, self._recording)
            self._recording = None
        self._sink.put(event)

    def _start(self) -> None:
        self._proceed()
        if not self._closed:
            self._looks.add(self._check_silence)

    def _check_silence(self, now: float) -> None:
        try:
            self._machine.check_silence(now)
            self._proceed()
        except Exception as error:
            self._fail(error)

    def _proceed(self) -> None:
        """Does what the phase asks for: reading the log, or the end."""
        if self._recording is not None:
            self._recording.is_live = isinstance(self._machine.phase, Live)
        if self._machine.has_ended:
            if not self._closed:
                self.close()
                self._sink.end()
        elif self._machine.request is not None and self._catching_up is None:
            self._catching_up = self._loop.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        if not await attempt(LOOP, self._answer_requests, self._loops):
            self._machine.fail("internal", "Reading the answer failed on our side.")
        self._catching_up = None
        self._proceed()

    async def _answer_requests(self) -> None:
        while (request := self._machine.request) is not None:
            try:
                await self._answer(request)
            except DomainError:
                self._machine.unavailable(self._loop.time())

    async def _answer(self, request: Request) -> None:
        """Reads what the machine requests. Nothing is read while the client lags behind. Raises `DomainError` where the
        broker or the agent service answers with an error or not at all."""
        machine, now = self._machine, self._loop.time
        match request:
            case Flush():
                await self._log.request_flush()
                machine.flush_requested()
            case ReadLog(position):
                await self._sink.room()
                page = await self._log.page(position)
                machine.page_read(page.events, page.position, now(), more=page.more)
            case ReadRetained(after):
                for event in await self._log.retained(after):
                    await self._sink.room()
                    machine.event_read(event, now())
                machine.retained_read(after, now())
            case GetRun():
                try:
                    run = await self._log.run()
                except NotFound:
                    machine.run_missing()
                else:
                    machine.run_found(run, now())
            case Rebuild(attempt):
                for event in await self._log.rebuilt(attempt, machine.last):
                    await self._sink.room()
                    machine.event_rebuilt(event, now())
                machine.rebuilt()
            case Backoff(seconds):
                await asyncio.sleep(seconds)
                machine.backed_off()

    def _fail(self, error: Exception) -> None:
        report(LOOP, error, self._loops)
        self._machine.fail("internal", "Reading the answer failed on our side.")
        self._proceed()
