"""The reader's state machine in a simulation: whatever is lost, late or repeated, the client receives 1, 2, 3 …"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.chat import Run, RunStatus
from contracts.ids import new_id
from contracts.run_events import Usage
from gateway.live.event import LiveEvent
from gateway.live.reader_state_machine import (
    FIRST_BACKOFF,
    LOG_START,
    MAX_BACKOFF,
    Backoff,
    Ended,
    GetRun,
    Joining,
    Live,
    ReaderStateMachine,
    ReaderTimeouts,
    ReadLog,
    ReadRetained,
    Rebuild,
)
from gateway.live.resequencer import BUFFER_MAX_BYTES

TIMEOUTS = ReaderTimeouts(look=10, ask=30, limit=90)
MAX_STEPS = 20_000
MARGIN = 30
"""How far before the wanted number reading begins: an event may be stored later than its successors."""


def event(seq: int, name: str = "token", attempt: int = 1, size: int = 1) -> LiveEvent:
    return LiveEvent(seq, attempt, name, b"x" * size)


def run_of(status: RunStatus, last_event_id: int = 0) -> Run:
    return Run(
        id=new_id(),
        conversation_id=new_id(),
        status=status,
        attempt=1,
        last_event_id=last_event_id,
        usage=Usage(),
        created_at=datetime.now(UTC),
    )


class Client:
    """A machine and what it emits; `now` is the time."""

    def __init__(self, after: int = 0) -> None:
        self.emitted: list[LiveEvent] = []
        self.now = 0.0
        self.machine = ReaderStateMachine(after, TIMEOUTS, self.emitted.append, self.now)

    @property
    def got(self) -> list[tuple[int, str]]:
        return [(event.seq, event.event) for event in self.emitted]

    def receive(self, *events: LiveEvent) -> None:
        for one in events:
            self.machine.received(one, self.now)

    def read(self, *events: LiveEvent, more: bool = False) -> None:
        """Answers the request for a page of the log."""
        request = self.machine.request
        assert isinstance(request, ReadLog)
        self.machine.page_read(events, request.position + len(events), self.now, more=more)


def live(after: int = 0) -> Client:
    client = Client(after)
    client.machine.joined_new(0)
    return client


# The phases one by one


def test_a_new_run_is_followed_live_at_once() -> None:
    client = Client()
    assert isinstance(client.machine.phase, Joining)
    client.receive(event(1))
    assert client.emitted == []
    client.machine.joined_new(0)
    assert isinstance(client.machine.phase, Live)
    client.receive(event(2), event(3, "done"))
    assert client.got == [(1, "token"), (2, "token"), (3, "done")]
    assert isinstance(client.machine.phase, Ended)


def test_live_events_wait_for_the_log() -> None:
    client = Client()
    client.machine.joined(7)
    client.receive(event(3))
    assert client.machine.request == ReadLog(7)
    client.read(event(1), more=True)
    assert client.machine.request == ReadLog(8)
    client.read(event(2))
    assert client.got == [(1, "token"), (2, "token"), (3, "token")]
    assert isinstance(client.machine.phase, Live)


def test_a_gap_is_read_from_the_log_until_it_is_there() -> None:
    client = live()
    client.receive(event(1), event(3))
    assert client.machine.request == ReadLog(LOG_START)
    client.read(event(1))
    assert client.machine.request == Backoff(2 * FIRST_BACKOFF)
    client.machine.backed_off()
    client.read(event(2))
    assert client.got == [(1, "token"), (2, "token"), (3, "token")]
    assert isinstance(client.machine.phase, Live)


def test_the_backoff_doubles_up_to_a_bound_and_then_reads_the_whole_log() -> None:
    client = Client()
    client.machine.joined(50)
    client.receive(event(2))
    seconds: list[float] = []
    while not seconds or seconds[-1] < MAX_BACKOFF:
        client.read()
        if isinstance(client.machine.request, ReadRetained):
            client.machine.retained_read(client.machine.request.after, 0)
        assert isinstance(client.machine.request, Backoff)
        seconds.append(client.machine.request.seconds)
        client.machine.backed_off()
    assert seconds == [0.04, 0.08, 0.16, 0.32, 0.64, 1.0]
    assert client.machine.request == ReadLog(LOG_START)


def test_a_reconnect_during_a_pass_makes_another_one_follow() -> None:
    client = Client()
    client.machine.joined(LOG_START)
    client.machine.reconnected()
    client.read(event(1))
    assert isinstance(client.machine.request, Backoff)
    client.machine.backed_off()
    client.read()
    assert isinstance(client.machine.phase, Live)


def test_a_later_attempt_comes_from_the_log_first() -> None:
    client = live()
    client.receive(event(1), event(2, attempt=1))
    client.receive(event(3, attempt=2))
    client.read(event(1), event(2), event(2, "restart", attempt=2))
    assert client.got == [(1, "token"), (2, "token"), (2, "restart"), (3, "token")]
    assert isinstance(client.machine.phase, Live)


def test_an_overflow_is_read_again() -> None:
    client = Client()
    client.machine.joined(LOG_START)
    client.receive(event(2, size=BUFFER_MAX_BYTES))
    client.read(event(1))
    assert isinstance(client.machine.request, Backoff)
    client.machine.backed_off()
    client.read(event(2))
    assert client.got == [(1, "token"), (2, "token")]


def test_events_dropped_while_one_is_missing_are_read_again_from_where_it_is_missing() -> None:
    client = Client()
    client.machine.joined(LOG_START)
    client.read(event(1), more=True)
    client.read(*(event(seq, size=BUFFER_MAX_BYTES * 2 // 3) for seq in (3, 4)))
    client.machine.backed_off()
    assert client.machine.request == ReadLog(LOG_START + 1)
    client.read(event(3), event(4), event(2))
    assert [seq for seq, _ in client.got] == [1, 2, 3, 4]


def test_silence_reads_the_whole_log_once_and_then_asks_what_became_of_the_run() -> None:
    client = Client()
    client.machine.joined(50)
    client.read(event(1))
    for now, position in ((10.0, LOG_START), (20.0, LOG_START)):
        client.now = now
        client.machine.check_silence(now)
        assert client.machine.request == ReadLog(position)
        client.read()
        assert isinstance(client.machine.phase, Live)
    client.now = 30.0
    client.machine.check_silence(30.0)
    client.read()
    assert client.machine.request == GetRun()
    client.machine.run_found(run_of("running", 1), 30.0)
    assert isinstance(client.machine.phase, Live)


def test_a_run_that_says_nothing_is_given_up_but_not_one_that_waits() -> None:
    for status, ended in (("waiting", False), ("running", True)):
        client = live()
        client.now = 90.0
        client.machine.check_silence(90.0)
        client.read()
        client.machine.run_found(run_of(status), 90.0)
        assert client.machine.has_ended == ended
        assert client.got == ([(0, "run_error"), (0, "done")] if ended else [])


def test_a_run_that_is_over_is_looked_for_once_more_and_then_rebuilt() -> None:
    client = Client(after=3)
    client.machine.joined_unlogged(None)
    client.read()
    assert client.machine.request == GetRun()
    client.machine.run_found(run_of("completed", 9), 0)
    assert client.machine.request == Backoff(2 * FIRST_BACKOFF)
    client.machine.backed_off()
    client.read()
    client.machine.run_found(run_of("completed", 9), 0)
    assert client.machine.request == Rebuild(3)
    client.machine.event_rebuilt(event(4, "message"), 0)
    client.machine.event_rebuilt(event(5, "done"), 0)
    client.machine.rebuilt()
    assert client.got == [(4, "message"), (5, "done")]


def test_a_rebuilt_run_without_an_end_fails() -> None:
    client = Client()
    client.machine.joined_unlogged(run_of("failed"))
    client.read()
    client.machine.run_found(run_of("failed"), 0)
    assert client.machine.request == Rebuild(0)
    client.machine.rebuilt()
    assert client.got == [(0, "run_error"), (0, "done")]


def test_who_has_all_of_a_run_that_is_over_gets_nothing() -> None:
    client = Client(after=9)
    client.machine.joined_unlogged(run_of("completed", 9))
    assert isinstance(client.machine.phase, Ended)
    assert client.emitted == []


def test_retained_events_are_read_again_where_the_run_began_to_wait_later() -> None:
    client = live()
    client.receive(event(2))
    while not isinstance(client.machine.request, ReadRetained):
        if isinstance(client.machine.request, Backoff):
            client.machine.backed_off()
        client.read()
    client.machine.retained_read(0, 0)
    client.machine.backed_off()
    client.now = TIMEOUTS.ask
    client.read()
    assert client.machine.request == GetRun()
    client.machine.run_found(run_of("waiting", 2), client.now)
    client.machine.backed_off()
    client.read()
    assert client.machine.request == ReadRetained(0)
    client.machine.event_read(event(1), client.now)
    client.machine.retained_read(0, client.now)
    assert client.got == [(1, "token"), (2, "token")]


def test_what_the_log_has_deleted_is_read_from_what_is_retained() -> None:
    client = Client()
    client.machine.joined_unlogged(run_of("waiting", 4))
    client.read()
    for after in (0, 2, 4):
        assert client.machine.request == ReadRetained(after)
        for seq in range(after + 1, min(after + 2, 4) + 1):
            client.machine.event_read(event(seq), 0)
        client.machine.retained_read(after, 0)
    assert [seq for seq, _ in client.got] == [1, 2, 3, 4]
    assert isinstance(client.machine.phase, Live)


def test_nobody_who_answers_is_asked_again_later() -> None:
    client = Client()
    client.machine.joined_unlogged(None)
    client.machine.unavailable(0)
    assert client.machine.request == Backoff(2 * FIRST_BACKOFF)
    client.machine.backed_off()
    client.read()
    client.machine.run_missing()
    assert client.got == [(0, "run_error"), (0, "done")]


def test_nothing_comes_after_the_end() -> None:
    client = live()
    client.machine.close()
    client.receive(event(1))
    client.machine.reconnected()
    client.machine.check_silence(100)
    client.machine.fail("internal", "too late")
    assert client.emitted == []
    assert client.machine.request is None


# Everything together


@dataclass(frozen=True)
class Plan:
    """One run: how many tokens each attempt emits, how much of each fault there is, and when the client comes and goes.
    With `waits` the run waits for a person once, and the log has deleted the beginning meanwhile. With `any_void`
    workers that have lost the run publish any number, not only those after the `restart`."""

    attempts: list[int]
    visits: list[int]
    seed: int
    faults: float = 0.2
    waits: bool = False
    any_void: bool = False


@dataclass
class World:
    """The run as its workers publish it, the log, and the live messages in flight to the client."""

    plan: Plan
    random: Random
    events: list[LiveEvent] = field(default_factory=list[LiveEvent])
    log: list[LiveEvent | None] = field(default_factory=list[LiveEvent | None])  # None: another run's, or deleted
    late: list[LiveEvent] = field(default_factory=list[LiveEvent])
    in_flight: list[LiveEvent] = field(default_factory=list[LiveEvent])
    retained: list[LiveEvent] = field(default_factory=list[LiveEvent])
    status: RunStatus = "running"

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def script(self) -> list[Callable[[], None]]:
        steps: list[Callable[[], None]] = []
        for attempt, tokens in enumerate(self.plan.attempts, 1):
            if attempt > 1:
                steps.append(lambda attempt=attempt: self.take_over(attempt))
            steps += [lambda attempt=attempt: self.emit("token", attempt) for _ in range(tokens)]
            if self.plan.waits and attempt == 1:
                steps += [self.wait, lambda: self.emit("approval_decided", 1)]
        return [*steps, lambda: self.emit("done", len(self.plan.attempts)), self.end]

    def emit(self, name: str, attempt: int) -> None:
        emitted = LiveEvent(len(self.events) + 1, attempt, name, f'"{attempt}.{len(self.events)}"'.encode())
        self.events.append(emitted)
        if self.chance(self.plan.faults / 2):
            self.late.append(emitted)
            return
        self.publish(emitted)
        if self.chance(self.plan.faults / 2):
            self.publish(self.random.choice(self.events[-5:]))
        while self.late and self.chance(0.7):
            self.publish(self.late.pop(self.random.randrange(len(self.late))))

    def publish(self, published: LiveEvent) -> None:
        """The log may store an event before or after it is received live."""
        if self.chance(0.3):
            self.log.append(None)
        self.log.append(published)
        self.in_flight.append(published)

    def settle(self) -> None:
        while self.late:
            self.publish(self.late.pop(0))

    def take_over(self, attempt: int) -> None:
        self.settle()
        self.emit("restart", attempt)
        self.settle()
        first = len(self.events) if self.plan.any_void else len(self.events) + 1
        for seq in range(first, first + self.random.randrange(4)):
            self.publish(LiveEvent(seq, attempt - 1, "token", b'"void"'))

    def wait(self) -> None:
        self.emit("approval_required", 1)
        self.settle()
        self.retained = list(self.events)
        gone = self.random.randrange(len(self.log) + 1)
        self.log[:gone] = [None] * gone

    def end(self) -> None:
        self.settle()
        self.status = "completed"

    def position(self, after: int) -> int | None:
        """A position in the log somewhat before the event after `after`; None if the log has no events of the run."""
        places = [place for place, stored in enumerate(self.log, 1) if stored]
        if not places:
            return None
        before = [place for place in places if self.log[place - 1].seq > after - MARGIN]
        return self.random.randint(LOG_START, min(before, default=places[-1]))


def deliver(world: World, client: Client) -> None:
    """One live message: lost, late, duplicated, or delivered normally."""
    place = 0 if not world.chance(world.plan.faults) else world.random.randrange(len(world.in_flight))
    received = world.in_flight.pop(place)
    if world.chance(world.plan.faults / 2):
        return
    client.receive(received)
    if world.chance(world.plan.faults / 2):
        client.receive(received)


def answer(world: World, client: Client, *, faulty: bool) -> None:
    """Answers the machine's request; sometimes it does not."""
    machine = client.machine
    request = machine.request
    if faulty and not isinstance(request, Backoff) and world.chance(world.plan.faults / 2):
        return machine.unavailable(client.now)
    match request:
        case ReadLog(position):
            rest = world.log[position - 1 :]
            size = world.random.randint(1, 8)
            page = [stored for stored in rest[:size] if stored]
            more = any(rest[size:])
            machine.page_read(page, position + min(size, len(rest)), client.now, more=more)
        case ReadRetained(after):
            for retained in [one for one in world.retained if one.seq > after][:3]:
                machine.event_read(retained, client.now)
            machine.retained_read(after, client.now)
        case GetRun():
            machine.run_found(run_of(world.status, len(world.events)), client.now)
        case Rebuild():
            raise AssertionError("all of it is in the log")
        case Backoff(seconds):
            client.now += seconds
            machine.backed_off()
        case None:
            raise AssertionError("there is no request")


def visit(world: World, steps: list[Callable[[], None]], after: int, leaves_after: int | None) -> Client:
    """One connection of the client: until `done`, or until it has received a number of events and disconnects."""
    client = Client(after)
    machine = client.machine
    if world.events and world.chance(0.5):
        steps_before_join = world.random.randrange(3)
        while steps and steps_before_join:
            steps.pop(0)()
            steps_before_join -= 1
    world.in_flight.clear()  # what was in flight before the subscription is not received
    position = world.position(after)
    if position is None:
        machine.joined_unlogged(run_of(world.status, len(world.events)))
    else:
        machine.joined(position)
    for _ in range(MAX_STEPS):
        if machine.has_ended or (leaves_after is not None and len(client.emitted) >= leaves_after):
            return client
        client.now += 0.001
        moves: list[Callable[[], None]] = []
        if steps:
            moves.append(steps.pop(0) if world.chance(0.5) else lambda: None)
        if world.in_flight:
            moves.append(lambda: deliver(world, client))
        if machine.request is not None:
            moves.append(lambda: answer(world, client, faulty=bool(steps)))
        if world.chance(0.02):
            moves.append(machine.reconnected)
        if not moves:
            client.now += TIMEOUTS.look
            moves.append(lambda: machine.check_silence(client.now))
        for move in world.random.sample(moves, len(moves)):
            move()
    raise AssertionError(f"the reader does not come to an end: {machine.phase}")


def play(plan: Plan) -> tuple[World, list[LiveEvent]]:
    """The events a client receives of a run over all its connections."""
    world = World(plan, Random(plan.seed))
    steps = world.script()
    emitted: list[LiveEvent] = []
    for leaves_after in [*plan.visits, None]:
        if emitted and emitted[-1].event == "done":
            break
        client = visit(world, steps, emitted[-1].seq if emitted else 0, leaves_after)
        emitted += client.emitted
    return world, emitted


runs = {
    "attempts": st.lists(st.integers(0, 30), min_size=1, max_size=3),
    "seed": st.integers(0, 2**32),
    "faults": st.sampled_from([0.0, 0.1, 0.3, 0.6]),
    "waits": st.booleans(),
}


@settings(max_examples=300, deadline=None)
@given(st.builds(Plan, visits=st.lists(st.integers(1, 20), max_size=5), **runs))
def test_every_client_gets_every_event_once(plan: Plan) -> None:
    world, emitted = play(plan)
    assert [one.frame for one in emitted] == [one.frame for one in world.events]


@settings(max_examples=300, deadline=None)
@given(st.builds(Plan, visits=st.just([]), any_void=st.just(True), **runs))  # pyright: ignore
def test_what_a_lost_worker_publishes_is_replaced_by_the_restart(plan: Plan) -> None:
    """A void event may be emitted before the `restart` is known, and is discarded with it."""
    world, emitted = play(plan)
    shown: list[LiveEvent] = []
    for one in emitted:
        assert one.seq == len(shown) + 1 or (one.event == "restart" and one.seq <= len(shown))
        shown[one.seq - 1 :] = [one]
    assert [one.frame for one in shown] == [one.frame for one in world.events]


@pytest.mark.parametrize("seed", range(20))
def test_without_faults_no_event_waits_for_a_silence(seed: int) -> None:
    world, emitted = play(Plan([20, 5], [], seed, faults=0.0))
    assert len(emitted) == len(world.events)
