"""The reader delivers 1, 2, 3 … to `done`, each once, whatever the broker, the workers and the clients do."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from nats.aio.client import Client
from prometheus_client import CollectorRegistry

from contracts import subjects
from contracts.ids import new_id
from contracts.run_events import BEFORE_FIRST, Done, Envelope, Restarted, RunEvent, Token
from gateway.live.event import LiveEvent
from gateway.live.hub import Hub, RunListener
from gateway.live.reader_state_machine import ReaderTimeouts
from gateway.live.resequencer import BUFFER_MAX_BYTES
from gateway.live.run_reader import RunReader
from gateway.live.sources import Sources
from gateway.live.stream_history import Page, StreamHistory
from servicekit.background import LoopHealth
from servicekit.bus import inbox_prefix
from servicekit.nats_client import Connection
from standalone.testing import SLOW_SECONDS, connection

from .scripted_agent import ScriptedAgent, ScriptedRun

TIMEOUTS = ReaderTimeouts(look=0.1, ask=20, limit=SLOW_SECONDS)
LOOPS = LoopHealth(CollectorRegistry())
VOID = Token(token="from a worker that lost the run")


def sources_of(nc: Client, hub: Hub) -> Sources:
    return Sources(nc, hub, StreamHistory(nc), TIMEOUTS, LOOPS)


@dataclass
class Visitor:
    """A client and the events of all its connections. It disconnects after `leaves_after` events."""

    events: list[LiveEvent] = field(default_factory=list)
    leaves_after: int | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    ended: int = 0

    def put(self, event: LiveEvent) -> None:
        if not self.over.is_set():
            self.events.append(event)
            if self.leaves_after is not None:
                self.leaves_after -= 1
                if self.leaves_after <= 0 and event.event != "done":
                    self.over.set()

    def end(self) -> None:
        if not self.over.is_set():
            self.ended += 1
            self.over.set()

    async def room(self) -> None:
        await asyncio.sleep(0)


class LossyHub(Hub):
    """A hub that loses, repeats and delays messages at random."""

    def __init__(self, nc: Client, random: Random) -> None:
        super().__init__(nc, LOOPS)
        self._random = random
        self._listeners: dict[RunListener, RunListener] = {}

    async def join_run(self, user_id: str, run_id: str, listener: RunListener) -> None:
        self._listeners[listener] = _LossyListener(listener, self._random)
        await super().join_run(user_id, run_id, self._listeners[listener])

    def leave_run(self, user_id: str, run_id: str, listener: RunListener) -> None:
        if lossy := self._listeners.pop(listener, None):
            super().leave_run(user_id, run_id, lossy)


class _LossyListener:
    def __init__(self, listener: RunListener, random: Random) -> None:
        self._listener = listener
        self._random = random
        self._held: list[LiveEvent] = []

    def on_event(self, event: LiveEvent) -> None:
        fate = self._random.random()
        if fate < 0.1:
            return  # lost
        if fate < 0.2:
            self._held.append(event)
            return
        self._listener.on_event(event)
        if fate < 0.3:
            self._listener.on_event(event)
        if fate < 0.5 and self._held:
            self._listener.on_event(self._held.pop(self._random.randrange(len(self._held))))
        if fate > 0.97:
            self._listener.on_reconnect()

    def on_reconnect(self) -> None:
        self._listener.on_reconnect()


@pytest.fixture(scope="module")
async def nc(broker, agent_for_session):
    async with connection(broker, "gateway") as gateway_connection:
        yield gateway_connection


@dataclass(frozen=True)
class Plan:
    """One run: how many tokens each attempt emits, and when clients come and go. `seed` chooses the faults."""

    attempts: list[int]
    seed: int
    visits: list[int]


plans = st.builds(
    Plan,
    attempts=st.lists(st.integers(0, 40), min_size=1, max_size=3),
    seed=st.integers(0, 2**32),
    visits=st.lists(st.integers(1, 30), max_size=5),
)


async def publish_run(agent: ScriptedAgent, run: ScriptedRun, plan: Plan) -> None:
    """Publishes the run as workers do: told live at once, logged in segments, also where a reader asks for it. Workers
    die in the middle of a segment, and what they told of it is void."""
    random = Random(plan.seed)
    held: list[Envelope] = []
    flushes = await agent.nc.subscribe(subjects.run_control(run.id))

    async def write() -> None:
        if held:
            segment = list(held)
            held.clear()
            run.published.extend(segment)
            await agent.store(run, *segment)

    async def emit(event: RunEvent) -> None:
        held.append(Envelope.of(len(run.published) + len(held) + 1, run.attempt, event))
        await agent.tell(run, held[-1])
        if random.random() < 0.2:
            await write()
        if random.random() < 0.3:
            await asyncio.sleep(0)
        if flushes.pending_msgs and random.random() < 0.8:
            while flushes.pending_msgs:
                await flushes.next_msg()
            await write()
            await agent.tell(run, run.published[-1])

    for attempt, count in enumerate(plan.attempts, 1):
        if attempt > 1:
            void = [*held, *(Envelope.of(len(run.published) + len(held) + 1 + n, run.attempt, VOID) for n in range(3))]
            held[:] = [Envelope.of(len(run.published) + 1, attempt, Restarted(attempt=attempt))]
            if not run.published:
                held.insert(0, Envelope.of(1, attempt, Token(token="began")))
                held[1] = Envelope.of(2, attempt, Restarted(attempt=attempt))
            run.attempt = attempt
            began = list(held)
            await write()
            await agent.tell(run, *began)
            await agent.tell(run, *void)
        for number in range(count):
            await emit(Token(token=f"{attempt}.{number}"))
    await emit(Done(status="completed"))
    await write()
    run.status = "completed"
    await flushes.unsubscribe()


async def read_run(sources: Sources, run: ScriptedRun, visits: list[int]) -> Visitor:
    """Comes back after each visit with the id of the last event it has, as a browser does."""
    client = Visitor()
    for leaves_after in [*visits, None]:
        client.leaves_after, client.over = leaves_after, asyncio.Event()
        after = client.events[-1].id if client.events else BEFORE_FIRST
        reader = RunReader(sources, run.user_id, run.id, client, after)
        try:
            if not await reader.resume():
                break
            await client.over.wait()
        finally:
            reader.close()
        if client.ended:
            break
    return client


def shown(events: list[LiveEvent]) -> list[bytes]:
    """What a client has in the end: a `restart` takes back what stands in its place."""
    kept: list[LiveEvent] = []
    for event in events:
        if event.event == "restart":
            del kept[event.seq - 1 :]
        elif event.seq == 1:
            kept.clear()
        assert event.seq == len(kept) + 1
        kept.append(event)
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))
    return frames(kept)


def frames(events: Iterable[LiveEvent]) -> list[bytes]:
    return [event.chunk for event in events]


def as_live(*events: Envelope) -> list[LiveEvent]:
    return [LiveEvent(*event) for event in events]


async def test_every_reader_gets_every_event_once(nc, agent) -> None:
    loop = asyncio.get_running_loop()

    async def check(plan: Plan) -> None:
        run = agent.new_run(new_id())
        sources = sources_of(nc, LossyHub(nc, Random(plan.seed)))
        async with asyncio.timeout(SLOW_SECONDS):
            *readers, _ = await asyncio.gather(
                read_run(sources, run, plan.visits),
                read_run(sources, run, plan.visits[::-1]),
                read_run(sources, run, []),
                publish_run(agent, run, plan),
            )
        for client in readers:
            assert shown(client.events) == frames(as_live(*run.published))
            assert client.ended == 1

    @settings(
        max_examples=60,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(plans)
    def property_holds(plan: Plan) -> None:
        run_in(loop, check(plan))

    await asyncio.to_thread(property_holds)


def run_in(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    asyncio.run_coroutine_threadsafe(work, loop).result(2 * SLOW_SECONDS)


async def test_a_reader_that_receives_nothing_live_reads_the_log(nc, agent) -> None:
    run = agent.new_run(new_id())
    client = asyncio.ensure_future(read_run(sources_of(nc, SilentHub(nc, LOOPS)), run, []))
    await agent.whole(run, tokens=300)
    assert [event.seq for event in (await client).events] == list(range(1, len(run.published) + 1))


class SilentHub(Hub):
    """Delivers nothing live except what a test passes to the listener."""

    async def join_run(self, user_id: str, run_id: str, listener: RunListener) -> None:
        return None


class PausedHistory(StreamHistory):
    """Sets `requested` when the first page is requested, reads it once `go` is set, and then sets `read`."""

    def __init__(self, nc: Client) -> None:
        super().__init__(nc)
        self.requested, self.go, self.read = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def page(self, user_id: str, run_id: str, position: int) -> Page:
        self.requested.set()
        await self.go.wait()
        page = await super().page(user_id, run_id, position)
        self.read.set()
        return page


async def taken_over(agent: ScriptedAgent) -> tuple[ScriptedRun, list[LiveEvent]]:
    """A run whose second attempt has ended, and a reader that joined during that attempt."""
    run = agent.new_run(new_id())
    await agent.emit(run, Token(token="old"))
    run.attempt = 2
    await agent.emit(run, Restarted(attempt=2))
    void = [Envelope.of(seq, 1, VOID) for seq in (2, 3)]
    await agent.emit(run, Token(token="new"))
    await agent.end(run)
    return run, as_live(*void, *run.published[2:])


async def test_live_events_do_not_overtake_the_log(nc, agent) -> None:
    run, live_events = await taken_over(agent)
    client, history = Visitor(), PausedHistory(nc)
    reader = RunReader(Sources(nc, SilentHub(nc, LOOPS), history, TIMEOUTS, LOOPS), run.user_id, run.id, client)
    try:
        assert await reader.resume()
        await history.requested.wait()
        for void_or_new in live_events:
            reader.on_event(void_or_new)
        history.go.set()
        await client.over.wait()
    finally:
        reader.close()
    assert frames(client.events) == frames(as_live(*run.published))


async def test_the_beginning_of_an_attempt_that_was_missed_is_looked_up(nc, agent) -> None:
    run, live_events = await taken_over(agent)
    client = Visitor()
    reader = RunReader(sources_of(nc, SilentHub(nc, LOOPS)), run.user_id, run.id, client)
    try:
        await reader.follow()
        for void_or_new in (LiveEvent(*run.published[0]), *live_events):
            reader.on_event(void_or_new)
        await client.over.wait()
    finally:
        reader.close()
    assert [(event.id, event.event) for event in client.events] == [
        ((1, 1), "token"),
        ((1, 2), "token"),
        ((1, 3), "token"),
        ((2, 2), "restart"),
        ((2, 3), "token"),
        ((2, 4), "done"),
    ]


async def test_a_reader_that_joins_in_the_middle_of_a_segment_has_it_written(nc, agent) -> None:
    """And not only at its next look: nothing else is told, and nobody writes by a timer."""
    run = agent.new_run(new_id())
    await agent.emit(run, Token(token="stored"))
    held = [Envelope.of(seq, 1, Token(token="told before")) for seq in (2, 3)]
    flushes = await agent.nc.subscribe(subjects.run_control(run.id))
    await agent.nc.flush()
    client = Visitor(leaves_after=3)
    timeouts = ReaderTimeouts(look=10 * SLOW_SECONDS, ask=10 * SLOW_SECONDS, limit=20 * SLOW_SECONDS)
    hub = Hub(nc, LOOPS)
    reader = RunReader(Sources(nc, hub, StreamHistory(nc), timeouts, LOOPS), run.user_id, run.id, client)
    try:
        assert await reader.resume()
        assert (await flushes.next_msg(SLOW_SECONDS)).data == subjects.FLUSH
        await agent.store(run, *held)
        await agent.tell(run, held[-1])
        async with asyncio.timeout(SLOW_SECONDS):
            await client.over.wait()
    finally:
        reader.close()
        await flushes.unsubscribe()
    assert [event.id for event in client.events] == [(1, 1), (1, 2), (1, 3)]


class CountingHistory(StreamHistory):
    def __init__(self, nc: Client) -> None:
        super().__init__(nc)
        self.reads = 0

    async def _read_page(self, user_id: str, run_id: str, position: int) -> Page:
        self.reads += 1
        return await super()._read_page(user_id, run_id, position)


async def test_a_crowd_reads_each_page_once(nc, agent) -> None:
    """And the end of the log twice at most, as it may have grown before some of them listened."""
    run = agent.new_run(new_id())
    events = [Envelope.of(seq, 1, Token(token="x" * 2000)) for seq in range(1, 300)]
    for first in range(0, len(events), 10):
        await agent.store(run, *events[first : first + 10])
    run.published = [*events, Envelope.of(300, 1, Done(status="completed"))]
    await agent.store(run, run.published[-1])
    history = CountingHistory(nc)
    sources = Sources(nc, Hub(nc, LOOPS), history, TIMEOUTS, LOOPS)
    clients = await asyncio.gather(*(read_run(sources, run, []) for _ in range(30)))
    assert all(frames(client.events) == frames(as_live(*run.published)) for client in clients)
    alone = CountingHistory(nc)
    await read_run(Sources(nc, Hub(nc, LOOPS), alone, TIMEOUTS, LOOPS), run, [])
    assert alone.reads > 2
    assert history.reads <= alone.reads + 1


async def test_a_page_is_shared_with_nobody_else(nc, agent) -> None:
    """Also where a stranger knows the id of the run, and nobody can say whose it is."""
    run = agent.new_run(new_id())
    for number in range(1, 200):
        await agent.store(run, Envelope.of(number, 1, Token(token="x" * 2000)))
    history = StreamHistory(nc)
    assert (await history.page(run.user_id, run.id, 1)).more
    assert (await history.page(new_id(), run.id, 1)).events == []


async def test_the_end_of_the_log_is_not_shared_with_who_comes_later(nc, agent) -> None:
    run = agent.new_run(new_id())
    await agent.emit(run, Token(token="one"))
    history = StreamHistory(nc)
    early = asyncio.ensure_future(history.page(run.user_id, run.id, 1))
    await asyncio.sleep(0)
    await agent.emit(run, Token(token="two"))

    async def numbers() -> list[int]:
        """Of all pages: the first may say that there is more, if the second event came while it was read."""
        page = await history.page(run.user_id, run.id, 1)
        rest = await history.page(run.user_id, run.id, page.position) if page.more else None
        return [event.seq for event in [*page.events, *(rest.events if rest else [])]]

    late = await asyncio.gather(*(numbers() for _ in range(3)))
    await early
    assert late == [[1, 2]] * 3


async def test_events_dropped_from_a_full_buffer_are_read_again_at_once(nc, agent) -> None:
    """One is lost live, and those that wait for it are too large for the buffer."""
    run = agent.new_run(new_id())
    first = await agent.emit(run, Token(token="first"))
    late, *long = [Envelope.of(seq, 1, Token(token="x" * (BUFFER_MAX_BYTES * 2 // 3))) for seq in (2, 3, 4)]
    client, history = Visitor(), PausedHistory(nc)
    timeouts = ReaderTimeouts(look=10 * SLOW_SECONDS, ask=10 * SLOW_SECONDS, limit=20 * SLOW_SECONDS)
    reader = RunReader(Sources(nc, SilentHub(nc, LOOPS), history, timeouts, LOOPS), run.user_id, run.id, client)
    try:
        await reader.follow()
        reader.on_event(LiveEvent(*first))
        reader.on_event(LiveEvent(*long[0]))
        await history.requested.wait()
        reader.on_event(LiveEvent(*long[1]))
        history.go.set()
        await history.read.wait()
        for envelope in (late, *long, Envelope.of(5, 1, Done(status="completed"))):
            await agent.store(run, envelope)
        async with asyncio.timeout(SLOW_SECONDS):
            await client.over.wait()
    finally:
        reader.close()
    assert [event.seq for event in client.events] == [1, 2, 3, 4, 5]


async def test_a_lost_connection_costs_no_event(broker, agent) -> None:
    """The gateway's broker connection is cut repeatedly while runs are read through it."""
    run = agent.new_run(new_id())

    async def reconnected() -> None:
        hub.reconnected()

    cut = Connection()
    await cut.connect(
        broker.url("gateway"),
        inbox_prefix=inbox_prefix(broker.url("gateway")),
        reconnected_cb=reconnected,
        error_cb=_ignore,
        reconnect_time_wait=0,
    )
    try:
        hub = Hub(cut, LOOPS)
        reading = asyncio.ensure_future(read_run(sources_of(cut, hub), run, []))
        for number in range(200):
            await agent.emit(run, Token(token=str(number)))
            if number % 40 == 20:
                await cut.force_reconnect()
        await agent.end(run)
        assert [event.seq for event in (await reading).events] == list(range(1, 202))
    finally:
        await cut.close()


async def _ignore(_: Exception) -> None:
    return None
