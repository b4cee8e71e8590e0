"""The reader's state machine in a simulated world: whatever is lost, late or repeated, it gives out what the log
has."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.chat import Run, RunStatus
from contracts.ids import new_id
from contracts.run_events import BEFORE_FIRST, EventId, Usage
from gateway.live.event import LiveEvent
from gateway.live.reader_state_machine import (
    FIRST_BACKOFF,
    LOG_START,
    MAX_BACKOFF,
    Backoff,
    Ended,
    Flush,
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


def event(seq: int, name: str = "token", attempt: int = 1, size: int = 1) -> LiveEvent:
    return LiveEvent(seq, attempt, name, b"x" * size)


def run_of(status: RunStatus, last: EventId = BEFORE_FIRST) -> Run:
    return Run(
        id=new_id(),
        conversation_id=new_id(),
        status=status,
        attempt=last.attempt,
        last_event_id=str(last),
        usage=Usage(),
        created_at=datetime.now(UTC),
    )


class Client:
    """A machine and what it emits; `now` is the time."""

    def __init__(self, after: EventId = BEFORE_FIRST) -> None:
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
        """Answers the request for a page of the log, and one for a flush before it."""
        if isinstance(self.machine.request, Flush):
            self.machine.flush_requested()
        request = self.machine.request
        assert isinstance(request, ReadLog)
        self.machine.page_read(events, request.position + len(events), self.now, more=more)


def live() -> Client:
    client = Client()
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
    client.machine.joined(7, is_complete=False)
    client.receive(event(3))
    assert client.machine.request == Flush()
    client.machine.flush_requested()
    assert client.machine.request == ReadLog(7)
    client.read(event(1), more=True)
    assert client.machine.request == ReadLog(8)
    client.read(event(2))
    assert client.got == [(1, "token"), (2, "token"), (3, "token")]
    assert isinstance(client.machine.phase, Live)


def test_a_gap_is_read_from_the_log_until_it_is_there() -> None:
    client = live()
    client.receive(event(1), event(3))
    assert client.machine.request == Flush()
    client.read(event(1))
    assert client.machine.request == Backoff(2 * FIRST_BACKOFF)
    client.machine.backed_off()
    client.read(event(2))
    assert client.got == [(1, "token"), (2, "token"), (3, "token")]
    assert isinstance(client.machine.phase, Live)


def test_the_backoff_doubles_up_to_a_bound_and_then_reads_the_whole_log() -> None:
    client = Client()
    client.machine.joined(50, is_complete=False)
    client.receive(event(2))
    seconds: list[float] = []
    while not seconds or seconds[-1] < MAX_BACKOFF:
        client.read()
        if isinstance(client.machine.request, ReadRetained):
            client.machine.retained_read(client.machine.request.after, 0)
        assert isinstance(client.machine.request, Backoff)
        seconds.append(client.machine.request.seconds)
        client.machine.backed_off()
    assert seconds == [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0]
    client.machine.flush_requested()
    assert client.machine.request == ReadLog(LOG_START)


def test_a_reconnect_during_a_pass_makes_another_one_follow() -> None:
    client = Client()
    client.machine.joined(LOG_START, is_complete=False)
    client.machine.reconnected()
    client.read(event(1))
    assert isinstance(client.machine.request, Backoff)
    client.machine.backed_off()
    client.read()
    assert isinstance(client.machine.phase, Live)


def test_a_later_attempt_comes_from_the_log_first() -> None:
    client = live()
    client.receive(event(1), event(2))
    client.receive(event(2, "restart", attempt=2), event(3, attempt=2))
    client.read(event(1), event(2, "restart", attempt=2))
    assert client.got == [(1, "token"), (2, "token"), (2, "restart"), (3, "token")]
    assert isinstance(client.machine.phase, Live)


def test_no_attempt_is_passed_over() -> None:
    """Its number alone lets the newest follow on what the client has."""
    client = Client(EventId(1, 5))
    client.machine.joined(LOG_START, is_complete=False)
    client.receive(event(6, "restart", attempt=3))
    client.read(event(3), event(4, "restart", attempt=2), event(5, attempt=2), event(6, "restart", attempt=3))
    assert [one.id for one in client.emitted] == [(2, 4), (2, 5), (3, 6)]


def test_an_attempt_may_begin_at_the_first_number_again() -> None:
    """All that was stored is lost."""
    client = Client(EventId(1, 5))
    client.machine.joined(LOG_START, is_complete=False)
    client.read(event(1, "run", attempt=2), event(2, "restart", attempt=2), event(3, attempt=2))
    assert [one.id for one in client.emitted] == [(2, 1), (2, 2), (2, 3)]


def test_what_a_worker_that_lost_the_run_says_is_dropped() -> None:
    client = live()
    client.receive(event(1), event(4))
    client.read(event(2, "restart", attempt=2))
    client.machine.backed_off() if isinstance(client.machine.request, Backoff) else None
    client.receive(event(5), event(3, "done"), event(3, attempt=2), event(4, "done", attempt=2))
    assert [(one.id, one.event) for one in client.emitted] == [
        ((1, 1), "token"),
        ((2, 2), "restart"),
        ((2, 3), "token"),
        ((2, 4), "done"),
    ]


def test_a_segment_that_is_being_filled_is_asked_for() -> None:
    """An event was told before the client joined, and is not stored; nothing follows on it."""
    client = Client()
    client.machine.joined(LOG_START, is_complete=False)
    assert client.machine.request == Flush()
    client.read(event(1))
    assert isinstance(client.machine.phase, Live)
    client.receive(event(3))  # told again, once it was stored
    client.read(event(2), event(3))
    assert [seq for seq, _ in client.got] == [1, 2, 3]
    assert isinstance(client.machine.phase, Live)


def test_an_overflow_is_read_again() -> None:
    client = Client()
    client.machine.joined(LOG_START, is_complete=False)
    client.receive(event(2, size=BUFFER_MAX_BYTES))
    client.read(event(1))
    assert isinstance(client.machine.request, Backoff)
    client.machine.backed_off()
    client.read(event(2))
    assert client.got == [(1, "token"), (2, "token")]


def test_events_dropped_while_one_is_missing_are_read_again_from_where_it_is_missing() -> None:
    client = Client()
    client.machine.joined(LOG_START, is_complete=False)
    client.read(event(1), more=True)
    client.read(*(event(seq, size=BUFFER_MAX_BYTES * 2 // 3) for seq in (3, 4)))
    client.machine.backed_off()
    client.machine.flush_requested()
    assert client.machine.request == ReadLog(LOG_START + 1)
    client.read(event(3), event(4), event(2))
    assert [seq for seq, _ in client.got] == [1, 2, 3, 4]


def test_silence_reads_the_log_and_then_asks_what_became_of_the_run() -> None:
    client = Client()
    client.machine.joined(50, is_complete=False)
    client.read(event(1))
    for now in (10.0, 20.0):
        client.now = now
        client.machine.check_silence(now)
        assert client.machine.request == ReadLog(51)
        client.read()
        assert isinstance(client.machine.phase, Live)
    client.now = 30.0
    client.machine.check_silence(30.0)
    client.read()
    assert client.machine.request == GetRun()
    client.machine.run_found(run_of("running", EventId(1, 1)), 30.0)
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


def test_a_run_that_waits_for_a_person_is_looked_at_rarely() -> None:
    client = live()
    client.receive(event(1, "approval_required"))
    for now in (10.0, 100.0, 299.0):
        client.machine.check_silence(now)
        assert isinstance(client.machine.phase, Live)
    client.machine.check_silence(300.0)
    client.read()
    client.now = 300.0
    client.receive(event(2, "approval_decided"))
    client.machine.check_silence(310.0)
    assert client.machine.request == ReadLog(LOG_START)


def test_a_run_that_is_over_is_looked_for_once_more_and_then_rebuilt() -> None:
    client = Client(EventId(1, 3))
    client.machine.joined_unlogged(None)
    client.read()
    assert client.machine.request == GetRun()
    client.machine.run_found(run_of("completed", EventId(1, 9)), 0)
    assert client.machine.request == Backoff(2 * FIRST_BACKOFF)
    client.machine.backed_off()
    client.read()
    client.machine.run_found(run_of("completed", EventId(1, 9)), 0)
    assert client.machine.request == Rebuild(1)
    for rebuilt in (event(0, "restart", 2), event(1, "run", 2), event(2, "message", 2), event(3, "done", 2)):
        client.machine.event_rebuilt(rebuilt, 0)
    client.machine.rebuilt()
    assert client.got == [(0, "restart"), (1, "run"), (2, "message"), (3, "done")]


@pytest.mark.parametrize(("has", "gets"), [(1, [2, 3]), (2, [3]), (3, [])])
def test_who_had_a_part_of_a_rebuilt_run_gets_the_rest(has: int, gets: list[int]) -> None:
    client = Client(EventId(2, has))
    client.machine.joined_unlogged(run_of("completed", EventId(1, 9)))
    client.read()
    client.machine.run_found(run_of("completed", EventId(1, 9)), 0)
    assert client.machine.request == Rebuild(1)
    for rebuilt in (event(1, "run", 2), event(2, "message", 2), event(3, "done", 2)):
        client.machine.event_rebuilt(rebuilt, 0)
    client.machine.rebuilt()
    assert [seq for seq, _ in client.got] == gets
    assert client.machine.has_ended


def test_a_rebuilt_run_without_an_end_fails() -> None:
    client = Client()
    client.machine.joined_unlogged(run_of("failed"))
    client.read()
    client.machine.run_found(run_of("failed"), 0)
    assert client.machine.request == Rebuild(1)
    client.machine.rebuilt()
    assert client.got == [(0, "run_error"), (0, "done")]


def test_who_has_all_of_a_run_that_is_over_gets_nothing() -> None:
    client = Client(EventId(1, 9))
    client.machine.joined_unlogged(run_of("completed", EventId(1, 9)))
    assert isinstance(client.machine.phase, Ended)
    assert client.emitted == []


def test_retained_events_are_read_again_where_the_run_began_to_wait_later() -> None:
    client = live()
    client.receive(event(2))
    while not isinstance(client.machine.request, ReadRetained):
        if isinstance(client.machine.request, Backoff):
            client.machine.backed_off()
        client.read()
    client.machine.retained_read(BEFORE_FIRST, 0)
    client.machine.backed_off()
    client.now = TIMEOUTS.ask
    client.read()
    assert client.machine.request == GetRun()
    client.machine.run_found(run_of("waiting", EventId(1, 2)), client.now)
    client.machine.backed_off()
    client.read()
    assert client.machine.request == ReadRetained(BEFORE_FIRST)
    client.machine.event_read(event(1), client.now)
    client.machine.retained_read(BEFORE_FIRST, client.now)
    assert client.got == [(1, "token"), (2, "token")]


def test_what_the_log_has_deleted_is_read_from_what_is_retained() -> None:
    client = Client()
    client.machine.joined_unlogged(run_of("waiting", EventId(1, 4)))
    client.read()
    for after in (0, 2, 4):
        assert client.machine.request == ReadRetained(EventId(1, after))
        for seq in range(after + 1, min(after + 2, 4) + 1):
            client.machine.event_read(event(seq), 0)
        client.machine.retained_read(EventId(1, after), 0)
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
    """One run: how many tokens each attempt tells, how much of each fault there is, and when the client comes and goes.
    With `waits` the run waits for a person once, and the log has deleted the beginning meanwhile. With `size`, of each
    event in bytes, the buffers overflow. With `deaf` no worker does what a `Flush` asks for."""

    attempts: list[int]
    visits: list[int]
    seed: int
    faults: float = 0.2
    waits: bool = False
    deaf: bool = False
    size: int = 0


@dataclass
class World:
    """The run as its workers tell and log it, and the live messages in flight to the client. `told` and not logged is
    the segment that the worker of `attempt` is filling."""

    plan: Plan
    random: Random
    attempt: int = 1
    told: list[LiveEvent] = field(default_factory=list[LiveEvent])
    log: list[list[LiveEvent] | None] = field(default_factory=list[list[LiveEvent] | None])  # None: not this run's
    lost: list[LiveEvent] = field(default_factory=list[LiveEvent])  # what the worker before may still tell
    in_flight: list[list[LiveEvent]] = field(default_factory=list[list[LiveEvent]])
    logged: list[LiveEvent] = field(default_factory=list[LiveEvent])
    retained: list[LiveEvent] = field(default_factory=list[LiveEvent])
    status: RunStatus = "running"

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def script(self) -> list[Callable[[], None]]:
        steps: list[Callable[[], None]] = []
        for attempt, tokens in enumerate(self.plan.attempts, 1):
            if attempt > 1:
                steps.append(lambda attempt=attempt: self.take_over(attempt))
            steps += [lambda: self.tell("token") for _ in range(tokens)]
            if self.plan.waits and attempt == 1:
                steps += [self.wait, lambda: self.tell("approval_decided")]
        return [*steps, lambda: self.tell("done"), self.end]

    @property
    def last(self) -> EventId:
        return self.logged[-1].id if self.logged else BEFORE_FIRST

    def new(self, name: str, number: int) -> LiveEvent:
        return LiveEvent(number, self.attempt, name, f'"{self.attempt}.{number}"'.encode() + b" " * self.plan.size)

    def tell(self, name: str) -> None:
        self.told.append(self.new(name, len(self.logged) + len(self.told) + 1))
        self.publish(self.told[-1])
        while self.lost and self.chance(0.3):
            self.publish(self.lost.pop(0))
        if self.chance(0.2):
            self.write()

    def publish(self, event: LiveEvent) -> None:
        """Perhaps together with the one before, as what is said in one turn."""
        if self.in_flight and self.chance(0.3):
            self.in_flight[-1].append(event)
        else:
            self.in_flight.append([event])

    def write(self) -> None:
        if not self.told:
            return
        if self.chance(0.3):
            self.log.append(None)
        self.log.append(self.told)
        self.logged += self.told
        self.told = []

    def flush(self) -> None:
        """Now, or later, or never; whoever listens is told the newest event again."""
        if self.plan.deaf or self.chance(self.plan.faults):
            return
        self.write()
        if self.logged:
            self.publish(self.logged[-1])

    def take_over(self, attempt: int) -> None:
        """The worker before is dead, or has lost the run without knowing it: then it still tells what is void."""
        self.lost = [*self.told, *(self.new("token", len(self.logged) + len(self.told) + 1 + n) for n in range(3))]
        self.attempt = attempt
        self.told = [LiveEvent(len(self.logged) + 1, attempt, "restart", b'"%d"' % attempt)]
        began = self.told[0]
        self.write()
        self.publish(began)

    def wait(self) -> None:
        self.tell("approval_required")
        self.write()
        self.retained = list(self.logged)
        gone = self.random.randrange(len(self.log) + 1)
        self.log[:gone] = [None] * gone

    def end(self) -> None:
        self.write()
        self.status = "completed"

    def position(self, after: EventId) -> int | None:
        """A place in the log some way before what follows on `after`; None where the log has nothing of the run."""
        places = [place for place, stored in enumerate(self.log, 1) if stored]
        if not places:
            return None
        following = [place for place in places if (self.log[place - 1] or [])[-1].id > after]
        return self.random.randint(LOG_START, min(following, default=places[-1] + 1))


def deliver(world: World, client: Client) -> None:
    """One live message: lost, late, duplicated, or delivered normally."""
    place = 0 if not world.chance(world.plan.faults) else world.random.randrange(len(world.in_flight))
    received = world.in_flight.pop(place)
    if world.chance(world.plan.faults / 2):
        return
    client.receive(*received)
    if world.chance(world.plan.faults / 2):
        client.receive(*received)


def answer(world: World, client: Client, *, faulty: bool) -> None:
    """Answers the machine's request; sometimes it does not."""
    machine = client.machine
    request = machine.request
    if faulty and not isinstance(request, Backoff) and world.chance(world.plan.faults / 2):
        return machine.unavailable(client.now)
    match request:
        case Flush():
            world.flush()
            machine.flush_requested()
        case ReadLog(position):
            rest = world.log[position - 1 :]
            size = world.random.randint(1, 8)
            page = [stored for segment in rest[:size] if segment for stored in segment]
            more = any(rest[size:])
            machine.page_read(page, position + min(size, len(rest)), client.now, more=more)
        case ReadRetained(after):
            for retained in [one for one in world.retained if one.id > after][:3]:
                machine.event_read(retained, client.now)
            machine.retained_read(after, client.now)
        case GetRun():
            machine.run_found(run_of(world.status, world.last), client.now)
        case Rebuild():
            raise AssertionError("all of it is in the log")
        case Backoff(seconds):
            client.now += seconds
            if world.told and world.chance(seconds * 4):
                world.write()
            machine.backed_off()
        case None:
            raise AssertionError("there is no request")


def visit(world: World, steps: list[Callable[[], None]], after: EventId, leaves_after: int | None) -> Client:
    """One connection of the client: until `done`, or until it has got so many events and leaves."""
    client = Client(after)
    machine = client.machine
    if (world.logged or world.told) and world.chance(0.5):
        steps_before_join = world.random.randrange(3)
        while steps and steps_before_join:
            steps.pop(0)()
            steps_before_join -= 1
    world.in_flight.clear()  # what was in flight before the subscription is not received
    position = world.position(after)
    if position is None:
        machine.joined_unlogged(run_of(world.status, world.last))
    else:
        machine.joined(position, is_complete=world.status == "completed")
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
        client = visit(world, steps, emitted[-1].id if emitted else BEFORE_FIRST, leaves_after)
        emitted += client.emitted
    for step in steps:
        step()
    return world, emitted


def shown(emitted: list[LiveEvent]) -> list[LiveEvent]:
    """What a client has in the end: a `restart` takes back what stands in its place. Each id comes once, in order."""
    kept: list[LiveEvent] = []
    for one in emitted:
        if one.event == "restart":
            del kept[one.seq - 1 :]
        assert one.seq == len(kept) + 1
        assert not kept or one.attempt == kept[-1].attempt or one.event == "restart"
        kept.append(one)
    ids = [one.id for one in emitted]
    assert ids == sorted(set(ids))
    return kept


runs = {
    "attempts": st.lists(st.integers(0, 30), min_size=1, max_size=4),
    "visits": st.lists(st.integers(1, 20), max_size=5),
    "seed": st.integers(0, 2**32),
    "faults": st.sampled_from([0.0, 0.1, 0.3, 0.6]),
    "waits": st.booleans(),
    "deaf": st.booleans(),
    "size": st.sampled_from([0, BUFFER_MAX_BYTES // 3]),
}


@settings(max_examples=600, deadline=None)
@given(st.builds(Plan, **runs))  # pyright: ignore
def test_every_client_gets_every_event_once(plan: Plan) -> None:
    """What its worker never logged may come before a `restart`."""
    world, emitted = play(plan)
    assert [one.chunk for one in shown(emitted)] == [one.chunk for one in world.logged]


@pytest.mark.parametrize("seed", range(20))
def test_without_faults_no_event_waits_for_a_silence(seed: int) -> None:
    world, emitted = play(Plan([20, 5], [], seed, faults=0.0))
    assert len(shown(emitted)) == len(world.logged)


TOLD = 6


@pytest.mark.parametrize("stored", range(TOLD + 1))
@pytest.mark.parametrize("crashed_at", range(TOLD + 1))
def test_resuming_at_every_id_over_a_crash_at_every_moment(crashed_at: int, stored: int) -> None:
    """The worker told so many events, of which so many were stored, and died, with the client's gateway or without. The
    client has the first `has` of them; what it gets then comes from the log, before, while or after it goes live."""
    if stored > crashed_at:
        return
    first = [event(number, "run" if number == 1 else "token") for number in range(1, crashed_at + 1)]
    restart = stored + 1 if stored else 2
    begun = [] if stored else [event(1, "run", 2)]
    second = [*begun, event(restart, "restart", 2), event(restart + 1, "token", 2), event(restart + 2, "done", 2)]
    log = [*first[:stored], *second]
    for has in range(crashed_at + 1):
        for live_from in range(len(second) + 1):
            client = Client(EventId(1, has))
            client.machine.joined(LOG_START, is_complete=False)
            client.receive(*first[has + 1 :])  # what a worker that does not know of its end still tells
            client.receive(*second[live_from:])
            client.read(*log)
            assert [one.id for one in client.emitted] == [one.id for one in log if one.id > (1, has)]
            assert client.machine.has_ended
