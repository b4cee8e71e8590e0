"""The order of a run's events: each once, without gaps, and none of a worker that has lost the run."""

from gateway.live.event import LiveEvent
from gateway.live.resequencer import BUFFER_MAX_BYTES, PendingBuffer, Resequencer


def event(seq: int, attempt: int = 1, size: int = 1) -> LiveEvent:
    return LiveEvent(seq, attempt, "token", b"x" * size)


def test_events_wait_for_those_before_them() -> None:
    resequencer = Resequencer(0)
    assert resequencer.add(event(3)) == ()
    assert resequencer.add(event(2)) == ()
    assert [e.seq for e in resequencer.add(event(1))] == [1, 2, 3]
    assert resequencer.ahead == {}


def test_a_repeat_is_dropped() -> None:
    resequencer = Resequencer(5)
    assert resequencer.add(event(5)) == ()
    assert [e.seq for e in resequencer.add(event(6))] == [6]
    assert resequencer.add(event(6)) == ()


def test_waiting_events_are_bounded() -> None:
    resequencer = Resequencer(0)
    for seq in range(2, 20):
        resequencer.add(event(seq, size=BUFFER_MAX_BYTES // 10))
    assert sum(len(e.frame) for e in resequencer.ahead.values()) <= BUFFER_MAX_BYTES
    assert resequencer.overflowed()
    assert not resequencer.overflowed()


def test_a_new_attempt_replaces_what_was_not_stored_of_the_one_before() -> None:
    resequencer = Resequencer(0)
    emitted = [e for seq in (1, 2, 3) for e in resequencer.add(event(seq))]
    emitted += [e for seq in (2, 3) for e in resequencer.add(event(seq, attempt=2))]
    assert [(e.seq, e.attempt) for e in emitted] == [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2)]
    assert resequencer.add(event(4, attempt=1)) == ()
    assert not resequencer.has_gap


def test_a_repeat_of_a_later_attempt_makes_earlier_attempts_void() -> None:
    resequencer = Resequencer(5)
    assert resequencer.add(event(5, attempt=2)) == ()
    assert resequencer.add(event(6, attempt=1)) == ()
    assert [e.attempt for e in resequencer.add(event(6, attempt=2))] == [2]


def test_of_two_waiting_events_with_one_number_the_later_attempt_stays() -> None:
    resequencer = Resequencer(0)
    for attempt in (1, 2, 1):
        assert resequencer.add(event(2, attempt)) == ()
    assert [(e.seq, e.attempt) for e in resequencer.add(event(1, 2))] == [(1, 2), (2, 2)]


def test_the_pending_buffer_drops_everything_past_its_bound() -> None:
    pending = PendingBuffer()
    pending.add(event(1))
    pending.add(event(2, size=BUFFER_MAX_BYTES))
    assert pending.take() == []
    assert pending.overflowed()
    assert not pending.overflowed()
