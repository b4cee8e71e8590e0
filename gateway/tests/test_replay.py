"""Further readers of a run, who get what the first one has given out."""

import asyncio

import httpx
import pytest
from httpx_sse import aconnect_sse
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ServiceUnavailable
from contracts.run_events import ApprovalRequired, EventId, MessageDone, Restarted, RunBegan, Token
from gateway.live.event import LiveEvent
from gateway.live.replay import MAX_BYTES, MAX_EVENTS, Replay
from gateway.live.stream_history import StreamHistory
from standalone.testing import SLOW_SECONDS

from .conftest import Person
from .scripted_agent import ScriptedAgent, ScriptedRun


def events(count: int, attempt: int = 1) -> list[LiveEvent]:
    return [LiveEvent(number, attempt, "token", b"{}") for number in range(1, count + 1)]


@given(st.integers(1, MAX_EVENTS), st.integers(1, 3), st.integers(0, MAX_EVENTS + 2), st.integers(1, 3))
def test_exactly_what_comes_after(count: int, attempt: int, number: int, of_attempt: int) -> None:
    replay = Replay()
    replay.is_live = True
    recorded = events(count, attempt)
    assert all(replay.add(event) for event in recorded)
    found = replay.after(EventId(of_attempt, number))
    if number == 0:
        assert found == recorded
    elif of_attempt == attempt and number <= count:
        assert found == recorded[number:]
    else:
        assert found is None


@pytest.mark.parametrize("late", [LiveEvent(3, 1, "token", b"{}"), LiveEvent(2, 2, "restart", b"{}"), None])
def test_what_is_not_whole_is_not_used(late: LiveEvent | None) -> None:
    """An event is missing, another attempt begins, or the gateway itself has ended the stream."""
    replay = Replay()
    replay.is_live = True
    assert replay.add(events(1)[0])
    assert not replay.add(late or LiveEvent(0, 0, "done", b"{}"))
    assert replay.after(EventId(1, 0)) is None
    assert not replay.add(LiveEvent(2, 1, "token", b"{}"))


def test_it_holds_so_much_and_no_more() -> None:
    many, long = Replay(), Replay()
    assert [many.add(event) for event in events(MAX_EVENTS + 1)] == [*[True] * MAX_EVENTS, False]
    assert not long.add(LiveEvent(1, 1, "token", b"x" * MAX_BYTES))


def test_it_is_used_only_while_its_reader_is_live() -> None:
    replay = Replay()
    replay.add(events(1)[0])
    assert replay.after(EventId(1, 0)) is None
    replay.is_live = True
    assert replay.after(EventId(1, 0)) is not None
    replay.drop()
    assert replay.after(EventId(1, 0)) is None


async def begin(agent: ScriptedAgent, run: ScriptedRun) -> None:
    await agent.emit(run, RunBegan(run_id=run.id, conversation_id=run.conversation_id, model="m", mode="demo"))
    await agent.emit(run, Token(token="a"))
    await agent.emit(run, ApprovalRequired(calls=[]))


async def unavailable(*_: object) -> None:
    raise ServiceUnavailable


@pytest.mark.parametrize("after", ["", "1.1", "1.3"])
async def test_it_takes_nothing_from_the_broker(
    ada: Person, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """And what comes afterwards reaches both, each event once; also a restart."""
    run = agent.new_run(ada.id)
    await begin(agent, run)
    path, headers = f"/api/runs/{run.id}/events", {"Last-Event-ID": after} if after else {}
    had = int(after.partition(".")[2] or 0)
    async with aconnect_sse(ada.http, "GET", path) as first, asyncio.timeout(SLOW_SECONDS):
        reading = first.aiter_sse()
        assert [(await anext(reading)).id for _ in range(3)] == ["1.1", "1.2", "1.3"]

        async def joined() -> list[str]:
            async with aconnect_sse(ada.http, "GET", path, headers=headers) as second:
                assert second.response.status_code == 200
                began.set()
                return [event.id async for event in second.aiter_sse()]

        began = asyncio.Event()
        with monkeypatch.context() as patch:
            for method in ("newest", "page", "position_after"):
                patch.setattr(StreamHistory, method, unavailable)
            reader = asyncio.create_task(joined())
            await began.wait()
            await agent.emit(run, Token(token="b"))
            assert (await anext(reading)).id == "1.4"
        run.attempt = 2
        await agent.emit(run, Restarted(attempt=2))
        await agent.emit(run, MessageDone(message_id=run.id, text="ab"))
        await agent.end(run)
        rest = [event.id async for event in reading]
        assert rest == ["2.5", "2.6", "2.7"]
        assert await reader == [*["1.1", "1.2", "1.3"][had:], "1.4", *rest]


async def test_the_next_one_records_when_the_first_has_left(ada: Person, agent: ScriptedAgent) -> None:
    run = agent.new_run(ada.id)
    await begin(agent, run)
    for _ in range(3):
        async with aconnect_sse(ada.http, "GET", f"/api/runs/{run.id}/events") as source:
            reading = source.aiter_sse()
            assert [(await anext(reading)).id for _ in range(3)] == ["1.1", "1.2", "1.3"]
    await agent.end(run)
    answer: httpx.Response = await ada.http.get(f"/api/runs/{run.id}/events")
    assert "event: done" in answer.text
