"""The frames of run events on the broker, cut and broken anywhere, and the ids of events."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.run_events import (
    Envelope,
    EventId,
    MalformedFrames,
    Token,
    join_frames,
    read_frames,
    split_frames,
)

envelopes = st.builds(
    Envelope,
    seq=st.integers(0, 10**15 - 1),
    attempt=st.integers(0, 10**9 - 1),
    event=st.from_regex(r"[a-z_]{1,20}", fullmatch=True),
    data=st.binary(max_size=60),
)


@given(st.lists(envelopes, max_size=8))
def test_what_is_joined_is_read_again(events: list[Envelope]) -> None:
    assert read_frames(join_frames(events)) == events


@given(st.lists(envelopes, min_size=1, max_size=5), st.data())
def test_a_cut_message_gives_whole_events_or_an_error(events: list[Envelope], data: st.DataObject) -> None:
    payload = join_frames(events)
    cut = payload[: data.draw(st.integers(0, len(payload) - 1))]
    ends = [len(join_frames(events[:count])) for count in range(len(events))]
    if len(cut) in ends:
        assert read_frames(cut) == events[: ends.index(len(cut))]
    else:
        with pytest.raises(MalformedFrames):
            read_frames(cut)


@given(st.binary(max_size=40))
def test_other_bytes_are_an_error_and_nothing_else(payload: bytes) -> None:
    assume(payload)
    try:
        frames = split_frames(payload)
    except MalformedFrames:
        return
    assert sum(len(b" ".join(frame[:3])) + len(frame[3]) for frame in frames) < len(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"\n",
        b"1 1 token 2",
        b"1 1 token 2\n{",
        b"1 1 token -2\n{}",
        b"1 1 token x\n{}",
        b"1 1 token\n{}",
        b"1 1  2\n{}",
        b"1 1 token 2 3\n{}",
        b"-1 1 token 2\n{}",
        b"1 a token 2\n{}",
        b"1 1 \xff 2\n{}",
        b"1 1 token 1_0\n{12345678}",
        b'{"token":"x"}',
        b"1 1 token " + b"9" * 5000 + b"\n{}",
    ],
)
def test_a_malformed_message_is_named(payload: bytes) -> None:
    with pytest.raises(MalformedFrames, match="not a frame"):
        read_frames(payload)


def test_a_frame_is_as_documented() -> None:
    assert Envelope.of(12, 3, Token(token="ü")).frame() == '3 12 token 14\n{"token":"ü"}'.encode()


@given(st.integers(1, 10**9 - 1), st.integers(0, 10**15 - 1))
def test_an_id_is_read_again(attempt: int, number: int) -> None:
    assert EventId.parse(str(EventId(attempt, number))) == (attempt, number)
    assert EventId.parse(str(number)) == (1, number)


@pytest.mark.parametrize(
    "text",
    ["", "0.5", ".", "1.", ".1", "1.2.3", "-1", "+1", " 1", "1 ", "1e3", "x", "١", "1" * 16, "1" * 10 + ".1"],
)
def test_what_is_no_id_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not an event id"):
        EventId.parse(text)
