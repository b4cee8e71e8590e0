"""Reads one run for one client: every event once, in order, whatever the client missed and the broker repeated.

It listens first, then reads history, then follows live; a gap, silence or a lost connection sends it back to history.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from contracts.errors import DomainError, NotFound, ServiceUnavailable
from contracts.run_events import Done, ErrorCode, RunFailed
from gateway.live.event import LiveEvent
from gateway.live.resequencer import PendingBuffer, Resequencer
from gateway.live.run_log import RunLog
from gateway.live.sources import Sink, Sources

log = structlog.stdlib.get_logger()

FIRST_RETRY, LAST_RETRY = 0.02, 1.0
"""Seconds between looks at the history while something is missing."""
RECALL_AFTER = 4 * FIRST_RETRY
"""From this pause on a gap is taken for what the stream has let go, not for what it has yet to store."""
FINAL = ("completed", "failed", "cancelled")


class RunReader:
    """`after` is the last event that the client has. Use `follow` or `resume` once, and `close` in any case."""

    def __init__(self, sources: Sources, user_id: str, run_id: str, sink: Sink, after: int = 0) -> None:
        self._sources = sources
        self._user_id = user_id
        self._run_id = run_id
        self._sink = sink
        self._log = RunLog(sources, user_id, run_id)
        self._resequencer = Resequencer(after)
        self._pending = PendingBuffer()
        self._attempt_heard = 0  # the last that history was read for
        self._again = False
        self._joining = True
        self._waiting = False  # the run, for a person
        self._seen_final = False
        self._unconfirmed = False  # the agent service has still to say what it knows of the run
        self._let_go = False  # the stream has no more what the run said before it waited
        self._recalled_at = -1
        self._searched_at = -1
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self.finished = False

    async def follow(self) -> None:
        """Begins before the run does, so that there is no history to read."""
        await self._sources.hub.join_run(self._user_id, self._run_id, self)
        self._joining = False
        self._watch_silence()

    async def resume(self) -> bool:
        """Begins in the middle. False where the client has everything up to `done` already.

        Raises `NotFound` where the user has no such run, `ServiceUnavailable` where the broker is away. An agent
        service that is away is waited for: it may be starting again, and the run with it.
        """
        await self._sources.hub.join_run(self._user_id, self._run_id, self)
        newest = await self._log.newest()
        if newest is None:
            if not await self._confirm():
                return False
        elif newest.event.event == Done.event and newest.event.seq <= self._resequencer.last:
            return False
        else:
            await self._log.begin_before(self._resequencer.last, newest)
        self._joining = False
        self._catch_up()
        self._watch_silence()
        return True

    async def _confirm(self) -> bool:
        """The stream knows nothing of the run: either it has not begun, or it is long over, or there is none. False
        where the client has all of it."""
        try:
            run = await self._log.run()
        except ServiceUnavailable:
            self._unconfirmed = True
            return True
        self._unconfirmed = self._seen_final = run.status in FINAL
        self._let_go = run.last_event_id > self._resequencer.last
        return not (self._seen_final and 0 < run.last_event_id <= self._resequencer.last)

    def close(self) -> None:
        self.finished = True
        self._sources.hub.leave_run(self._user_id, self._run_id, self)
        if self._timer:
            self._timer.cancel()
        if self._task and self._task is not asyncio.current_task():
            self._task.cancel()

    def on_event(self, event: LiveEvent) -> None:
        if self.finished:
            return
        if self._task or self._joining:
            self._pending.add(event)
        else:
            self._hear([event])
            if self._again or self._resequencer.waits:
                self._catch_up()

    def on_reconnect(self) -> None:
        self._catch_up()

    def _hear(self, heard: list[LiveEvent]) -> None:
        """Takes what was heard. Where a later attempt is heard of, history has to be read first: its beginning may have
        been missed, and words of a worker that had lost the run been heard after it."""
        for number, event in enumerate(heard):
            if self._resequencer.begins_attempt(event) and event.attempt > self._attempt_heard:
                self._attempt_heard = event.attempt
                self._again = True
                for later in heard[number:]:
                    self._pending.add(later)
                return
            self._take(event)

    def _take(self, event: LiveEvent) -> None:
        if event.event == Done.event and self._resequencer.is_last(event):
            return self._end()  # the client came back for what it had already
        for ready in self._resequencer.take(event):
            self._put(ready)

    def _put(self, event: LiveEvent) -> None:
        if self.finished:
            return
        self._heard = self._loop.time()
        self._waiting = self._unconfirmed = False
        self._sink.put(event)
        if event.event == Done.event:
            self._end()

    def _end(self) -> None:
        self.close()
        self._sink.end()

    def _watch_silence(self) -> None:
        look = self._sources.timeouts.look
        if self._loop.time() - self._heard >= look:
            if self._searched_at != self._resequencer.last:  # once: something may lie before where we began to look
                self._searched_at = self._resequencer.last
                self._log.to_start()
            self._catch_up()
        self._timer = self._loop.call_later(look, self._watch_silence)

    def _catch_up(self) -> None:
        if self.finished or self._joining:
            return
        self._again = True
        if self._task is None:
            self._task = self._loop.create_task(self._guarded(self._read))

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception:
            log.exception("reading a run failed", run_id=self._run_id)
            self._fail("internal", "Reading the answer failed on our side.")

    async def _read(self) -> None:
        delay = FIRST_RETRY
        while not self.finished:
            self._again = False
            before = self._resequencer.last
            try:
                await self._read_history()
                if self._let_go or (self._resequencer.ahead and delay >= RECALL_AFTER):
                    await self._recall()
                await self._look_after_silence()
            except DomainError:  # whoever was asked cannot tell now
                self._again = True
            self._again |= self._pending.overflowed()
            if not self._again:
                self._hear(self._pending.take())
            if self.finished or not (self._again or self._resequencer.waits):
                break
            delay = FIRST_RETRY if self._resequencer.last > before else min(delay * 2, LAST_RETRY)
            if delay == LAST_RETRY:
                self._log.to_start()
            self._fail_after_limit()
            await asyncio.sleep(delay)
        self._task = None

    async def _read_history(self) -> None:
        if self._resequencer.overflowed():
            self._log.back()
        more = True
        while more and not self.finished:
            await self._sink.room()
            page = await self._log.page()
            for event in page.events:
                self._take(event)
            more = page.more
            if not self._resequencer.ahead:
                self._log.given_out()
        self._hear(self._pending.take())

    async def _recall(self) -> None:
        """What a run had said when it began to wait for a person is kept: they may take longer than the stream lasts.
        Asked for once in a place. Raises what the agent service answers, or that it does not."""
        while not self.finished and self._recalled_at != self._resequencer.last:
            last = self._resequencer.last
            for event in await self._log.kept(last):
                await self._sink.room()
                self._take(event)
            self._recalled_at = last
        self._let_go = False

    async def _look_after_silence(self) -> None:
        """Raises what the agent service answers, or that it does not."""
        silent = self._loop.time() - self._heard
        if self.finished or (silent < self._sources.timeouts.ask and not self._unconfirmed):
            return
        try:
            run = await self._log.run()
        except NotFound:
            return self._fail("internal", "There is no such answer, or no more.", retryable=False)
        self._waiting = run.status == "waiting"
        if self._unconfirmed and run.status not in FINAL:
            self._let_go = self._again = run.last_event_id > self._resequencer.last
        self._unconfirmed = run.status in FINAL
        if run.status not in FINAL:
            self._fail_after_limit()
        elif self._seen_final:
            await self._replay()
        else:
            self._seen_final = self._again = True  # its last events may be on their way: one more look first
            self._log.to_start()

    async def _replay(self) -> None:
        """The stream has let the run go; what the database keeps of it follows on what the client has."""
        for event in await self._log.rebuilt(self._resequencer.last):
            await self._sink.room()
            self._put(event)
        self._fail("internal", "The end of this answer was lost.", retryable=False)

    def _fail_after_limit(self) -> None:
        if not self._waiting and self._loop.time() - self._heard >= self._sources.timeouts.limit:
            self._fail("timeout", "The assistant did not answer in time.")

    def _fail(self, code: ErrorCode, message: str, *, retryable: bool = True) -> None:
        """Ends the stream, unless it has ended. Without numbers, so that whoever comes back gets the truth."""
        self._put(LiveEvent.own(RunFailed(code=code, message=message, retryable=retryable)))
        self._put(LiveEvent.own(Done(status="failed")))
