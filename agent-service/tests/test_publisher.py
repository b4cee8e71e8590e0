"""How a run's events reach the log, whatever happens to segments and their acks on a real broker."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import MaxPayloadError

from agent_service.errors import LeaseLost
from agent_service.stream import EventPublisher, RunPublisher, read_events, write_fenced
from agent_service.stream.publisher import SEGMENT_BYTES
from contracts import subjects
from contracts.ids import new_id
from contracts.run_events import (
    BEFORE_FIRST,
    Done,
    Envelope,
    EventId,
    NotesChanged,
    Restarted,
    RunBegan,
    Token,
    read_frames,
)
from contracts.streams import RUN_EVENTS
from servicekit.background import LoopHealth
from servicekit.direct_get import DirectGet, sequence_of
from servicekit.metrics import new_registry
from servicekit.nats_client import Connection
from standalone.nats import Nats
from standalone.testing import SLOW_SECONDS, connection, until

BEGAN = RunBegan(run_id=new_id(), conversation_id=new_id(), model="m", mode="demo")


class FaultyConnection:
    """`on_segment` gets what is published to the log, and returns what is really sent, None for nothing."""

    def __init__(self, nc: Connection) -> None:
        self._nc = nc
        self.on_segment: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda publish: publish
        self.segments = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nc, name)

    def publish_now(
        self, subject: str, data: bytes, *, reply: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        publish: dict[str, Any] | None = {"data": data, "reply": reply, "headers": headers}
        if subject.startswith("log."):
            self.segments += 1
            publish = self.on_segment(publish)
        if publish is not None:
            self._nc.publish_now(subject, **publish)


@dataclass
class Stage:
    """A publisher of one run, and what a listener hears of it live. `admin` may do everything."""

    nc: FaultyConnection
    admin: Client
    events: EventPublisher
    user_id: str = field(default_factory=new_id)
    run_id: str = field(default_factory=new_id)
    told: list[Msg] = field(default_factory=list[Msg])

    def publisher(self, last: EventId = BEFORE_FIRST, stream_sequence: int = 0) -> RunPublisher:
        return RunPublisher(self.events, self.user_id, self.run_id, last, stream_sequence)

    async def listen(self) -> None:
        async def take(msg: Msg) -> None:
            self.told.append(msg)

        await self.admin.subscribe(subjects.user_live(self.user_id, self.run_id), cb=take)
        await self.admin.flush()

    @property
    def heard(self) -> list[Envelope]:
        return [event for msg in self.told for event in read_frames(msg.data)]

    async def until_heard(self, count: int) -> None:
        async def came() -> bool:
            return len(self.heard) >= count

        await until("live events", came)

    async def segments(self) -> list[list[Envelope]]:
        messages, _ = await DirectGet(self.admin, RUN_EVENTS).batch(
            subjects.run_log(self.user_id, self.run_id), 1, size=1000
        )
        return [read_frames(msg.data) for msg in messages]

    async def logged(self) -> list[Envelope]:
        return [event for segment in await self.segments() for event in segment]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_service.stream.publisher.ACK_SECONDS", 0.2)
    monkeypatch.setattr("agent_service.stream.event_publisher.RESEND_SECONDS", 0.05)


@pytest.fixture
async def stage(broker: Nats, notes_service: None) -> AsyncGenerator[Stage]:
    async with staged(broker) as stage:
        yield stage


@asynccontextmanager
async def staged(broker: Nats) -> AsyncGenerator[Stage]:
    async with connection(broker, "agent-service") as nc, connection(broker, "admin") as admin:
        faulty = FaultyConnection(nc)
        async with EventPublisher(faulty, LoopHealth(new_registry())).running() as events:  # pyright: ignore
            stage = Stage(faulty, admin, events)
            await stage.listen()
            yield stage


async def say(publisher: RunPublisher, *words: str) -> None:
    """Each in a turn of its own."""
    for word in words:
        publisher.token(word)
        await asyncio.sleep(0)


async def flushed(publisher: RunPublisher) -> None:
    async with asyncio.timeout(SLOW_SECONDS):
        await publisher.flush()


async def test_tokens_go_out_one_by_one_and_are_stored_together(stage: Stage) -> None:
    async with stage.publisher().publishing() as publisher:
        await say(publisher, "one ", "two ", "three")
        publisher.token(" four")
        publisher.token(" five")
        await flushed(publisher)
        await stage.until_heard(4)
    assert [event.id for event in stage.heard] == [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert stage.heard[-1].data == b'{"token":" four five"}'
    assert [len(segment) for segment in await stage.segments()] == [4]
    assert b"".join(msg.data for msg in stage.told) == b"".join(event.frame() for event in await stage.logged())
    assert all(not msg.headers and not msg.reply for msg in stage.told)


async def test_a_segment_is_written_after_a_while(stage: Stage) -> None:
    async with stage.publisher().publishing() as publisher:
        await say(publisher, "one", "two")

        async def stored() -> bool:
            return [event.seq for event in await stage.logged()] == [1, 2]

        await until("a segment that nobody asked for", stored)


async def test_what_others_depend_on_is_written_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_service.stream.event_publisher.SEGMENT_SECONDS", 10 * SLOW_SECONDS)
    async with stage.publisher().publishing() as publisher:
        publisher.emit(BEGAN)

        async def stored() -> bool:
            return len(await stage.segments()) == 1

        await until("the first segment", stored)
        await say(publisher, "one")
        publisher.emit(NotesChanged(op="create", id=new_id(), version=1, call_id="c"))
        await asyncio.sleep(0)
        assert stage.nc.segments == 1
        publisher.emit(Done(status="completed"))
        await flushed(publisher)
    assert [[event.event for event in segment] for segment in await stage.segments()] == [
        ["run"],
        ["token", "notes_changed", "done"],
    ]


async def test_segments_are_bounded(stage: Stage) -> None:
    async with stage.publisher().publishing() as publisher:
        for size in (100, 20_000, 20_000, 100_000, 10_000, 10_000, 10_000, 10_000):
            await say(publisher, "x" * size)
        await flushed(publisher)
    sizes = [(len(segment), sum(len(event.frame()) for event in segment)) for segment in await stage.segments()]
    assert [event.seq for event in await stage.logged()] == list(range(1, 9))
    assert all(size <= SEGMENT_BYTES or count == 1 for count, size in sizes)


@pytest.mark.parametrize("fault", ["segment lost", "ack lost", "ack lost for long", "not stored"])
async def test_a_segment_is_sent_until_it_is_stored_and_stored_once(stage: Stage, fault: str) -> None:
    """`for long`: the stream has forgotten its id meanwhile, and refuses the repetition because of the one before."""
    faults = 3

    def on_segment(publish: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal faults
        faults -= 1
        if faults < 0:
            return publish
        match fault:
            case "segment lost":
                return None
            case "ack lost":
                return publish | {"reply": ""}
            case "not stored":
                return publish | {"headers": {**publish["headers"], "Nats-Expected-Stream": "ANOTHER"}}
            case _:
                headers = {name: value for name, value in publish["headers"].items() if name != "Nats-Msg-Id"}
                return publish | {"reply": "", "headers": headers}

    stage.nc.on_segment = on_segment
    async with stage.publisher().publishing() as publisher:
        publisher.emit(BEGAN)
        for _ in range(5):
            await say(publisher, "one ", "two ")
            await flushed(publisher)
        publisher.emit(Done(status="completed"))
        await flushed(publisher)
        await stage.until_heard(publisher.last.number)
    assert [event.id for event in await stage.logged()] == [(1, number) for number in range(1, 13)]
    assert {event.id: event for event in stage.heard} == {event.id: event for event in await stage.logged()}


async def newest_sequence(stage: Stage) -> int:
    msg = await DirectGet(stage.admin, RUN_EVENTS).last(subjects.run_log(stage.user_id, stage.run_id))
    assert msg is not None
    return sequence_of(msg)


async def test_a_worker_that_lost_the_run_adds_nothing(stage: Stage) -> None:
    async with stage.publisher().publishing() as publisher:
        publisher.emit(BEGAN)
        await flushed(publisher)
        await say(publisher, "void")
        restart = [Envelope.of(2, 2, Restarted(attempt=2))]
        sequence = await newest_sequence(stage)
        assert await write_fenced(stage.admin, stage.user_id, stage.run_id, restart, sequence) is not None
        with pytest.raises(LeaseLost):
            await flushed(publisher)
        await say(publisher, "more")
        with pytest.raises(LeaseLost):
            await flushed(publisher)
    assert [event.id for event in await stage.logged()] == [(1, 1), (2, 2)]


async def test_a_fence_is_not_written_over_a_later_segment(stage: Stage) -> None:
    """The worker before has written after the new one has read."""
    async with stage.publisher().publishing() as publisher:
        publisher.emit(BEGAN)
        await flushed(publisher)
        before = await newest_sequence(stage)
        await say(publisher, "just in time")
        await flushed(publisher)
    restart = [Envelope.of(2, 2, Restarted(attempt=2))]
    assert await write_fenced(stage.admin, stage.user_id, stage.run_id, restart, before) is None
    assert [event.id for event in await stage.logged()] == [(1, 1), (1, 2)]


async def test_a_new_attempt_goes_on_after_its_fence(stage: Stage) -> None:
    restart = [Envelope.of(1, 2, BEGAN), Envelope.of(2, 2, Restarted(attempt=2))]
    sequence = await write_fenced(stage.nc, stage.user_id, stage.run_id, restart, 0)
    assert sequence is not None
    async with stage.publisher(restart[-1].id, sequence).publishing() as publisher:
        await say(publisher, "on")
        await flushed(publisher)
        await stage.until_heard(3)
    assert [event.id for event in stage.heard] == [(2, 1), (2, 2), (2, 3)]
    assert await stage.logged() == stage.heard
    events = await read_events(stage.admin, stage.user_id, stage.run_id, 1, 3)
    assert events == stage.heard


async def test_a_stream_that_lost_its_newest_is_written_on(stage: Stage) -> None:
    async with stage.publisher().publishing() as publisher:
        publisher.emit(BEGAN)
        await flushed(publisher)
        await stage.admin.jetstream().purge_stream(
            str(RUN_EVENTS.name), subject=subjects.run_log(stage.user_id, stage.run_id)
        )
        await say(publisher, "on")
        await flushed(publisher)
    assert [event.id for event in await stage.logged()] == [(1, 2)]


async def test_a_reader_has_the_open_segment_written_and_is_told_the_newest_event(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_service.stream.event_publisher.SEGMENT_SECONDS", 10 * SLOW_SECONDS)
    async with stage.publisher().publishing() as publisher:
        publisher.emit(BEGAN)
        await flushed(publisher)
        await say(publisher, "one", "two")
        await stage.until_heard(3)
        stage.events.write_for_reader(stage.run_id)
        stage.events.write_for_reader(new_id())
        await stage.until_heard(4)
        assert [event.seq for event in stage.heard] == [1, 2, 3, 3]
        assert [event.seq for event in await stage.logged()] == [1, 2, 3]
        stage.events.write_for_reader(stage.run_id)
        await stage.until_heard(5)
    assert [event.seq for event in stage.heard] == [1, 2, 3, 3, 3]
    assert [len(segment) for segment in await stage.segments()] == [1, 2]


async def test_an_event_that_no_broker_takes_fails_the_run(stage: Stage) -> None:
    async with stage.publisher().publishing() as publisher:
        publisher.emit(Token(token="x" * (stage.nc.max_payload + 1)))
        with pytest.raises(MaxPayloadError):
            await flushed(publisher)


async def test_runs_of_one_process_share_a_turn(stage: Stage) -> None:
    """And one that fails does not keep the others from going out."""
    other = RunPublisher(stage.events, stage.user_id, new_id(), BEFORE_FIRST)
    async with stage.publisher().publishing() as publisher, other.publishing():
        other.emit(Token(token="x" * (stage.nc.max_payload + 1)))
        publisher.token("one")
        await flushed(publisher)
        with pytest.raises(MaxPayloadError):
            await flushed(other)
    assert [event.id for event in await stage.logged()] == [(1, 1)]
