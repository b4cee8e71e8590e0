"""The order of a run's events: each once, without gaps, and none of a worker that has lost the run."""

from contracts.run_events import BEFORE_FIRST, EventId
from gateway.live.event import LiveEvent
from gateway.live.resequencer import BUFFER_MAX_BYTES, PendingBuffer, Resequencer


def event(seq: int, attempt: int = 1, size: int = 1, name: str = "token") -> LiveEvent:
    return LiveEvent(seq, attempt, name, b"x" * size)


def add(resequencer: Resequencer, *events: LiveEvent, logged: bool = False) -> list[tuple[int, int]]:
    return [ready.id for one in events for ready in resequencer.add(one, logged=logged)]


def test_events_wait_for_those_before_them() -> None:
    resequencer = Resequencer(BEFORE_FIRST)
    assert add(resequencer, event(3), event(2)) == []
    assert resequencer.has_gap
    assert add(resequencer, event(1)) == [(1, 1), (1, 2), (1, 3)]
    assert not resequencer.has_gap


def test_a_repeat_is_dropped() -> None:
    resequencer = Resequencer(EventId(1, 5))
    assert add(resequencer, event(5), event(6), event(6), event(1)) == [(1, 6)]


def test_a_repeat_of_what_waited_leaves_no_gap() -> None:
    resequencer = Resequencer(BEFORE_FIRST)
    assert add(resequencer, event(2), event(3)) == []
    assert add(resequencer, event(1), event(2), event(3)) == [(1, 1), (1, 2), (1, 3)]
    assert not resequencer.has_gap


def test_waiting_events_are_bounded() -> None:
    resequencer = Resequencer(BEFORE_FIRST)
    for seq in range(2, 20):
        add(resequencer, event(seq, size=BUFFER_MAX_BYTES // 10))
    assert sum(len(e.chunk) for e in resequencer.ahead.values()) <= BUFFER_MAX_BYTES
    add(resequencer, event(20, size=BUFFER_MAX_BYTES))
    assert resequencer.ahead == {}
    assert resequencer.has_gap
    add(resequencer, *(event(seq) for seq in range(1, 20)), logged=True)
    assert resequencer.has_gap
    assert add(resequencer, event(20), logged=True) == [(1, 20)]
    assert not resequencer.has_gap


def test_what_was_dropped_is_no_gap_once_it_is_void() -> None:
    resequencer = Resequencer(EventId(1, 3))
    resequencer.miss(EventId(1, 9))
    assert resequencer.has_gap
    add(resequencer, event(4, 2, name="restart"), logged=True)
    assert not resequencer.has_gap


def test_a_later_attempt_takes_the_place_of_what_was_not_stored() -> None:
    resequencer = Resequencer(BEFORE_FIRST)
    add(resequencer, event(1), event(2), event(3))
    log = [event(1), event(2, 2, name="restart"), event(3, 2)]
    assert add(resequencer, *log, logged=True) == [(2, 2), (2, 3)]
    assert add(resequencer, event(4), event(5)) == []
    assert not resequencer.has_gap


def test_a_later_attempt_follows_on_all_of_the_one_before() -> None:
    resequencer = Resequencer(EventId(1, 1))
    restart = event(4, 2, name="restart")
    assert add(resequencer, restart, logged=True) == []
    assert add(resequencer, event(2), event(3), restart, logged=True) == [(1, 2), (1, 3), (2, 4)]
    assert not resequencer.has_gap


def test_a_later_attempt_received_live_waits_for_the_log() -> None:
    """Another attempt may lie between."""
    resequencer = Resequencer(EventId(1, 5))
    assert add(resequencer, event(6, 3, name="restart"), event(7, 3)) == []
    log = [event(4, 2, name="restart"), event(5, 2), event(6, 3, name="restart")]
    assert add(resequencer, *log, logged=True) == [(2, 4), (2, 5), (3, 6), (3, 7)]
    assert not resequencer.has_gap


def test_an_attempt_is_not_entered_in_its_middle() -> None:
    resequencer = Resequencer(EventId(1, 5))
    assert add(resequencer, event(6, 2), logged=True) == []
    assert resequencer.has_gap


def test_what_waited_for_a_void_event_is_dropped() -> None:
    resequencer = Resequencer(EventId(1, 5))
    assert add(resequencer, event(7), event(8)) == []
    assert add(resequencer, event(6, 2, name="restart"), logged=True) == [(2, 6)]
    assert not resequencer.has_gap


def test_the_pending_buffer_drops_everything_past_its_bound() -> None:
    pending = PendingBuffer()
    pending.add(event(1))
    pending.add(event(2, size=BUFFER_MAX_BYTES))
    assert pending.take() == []
    assert pending.dropped == (1, 2)
