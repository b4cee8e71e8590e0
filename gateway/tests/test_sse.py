"""Runs over Server-Sent Events, read with a third-party client."""

import asyncio

import httpx
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse

from contracts import chat
from contracts.errors import NotFound, RateLimited, RunActive, ServiceUnavailable, StaleBranch
from contracts.ids import new_id
from contracts.run_events import Done, Envelope, MessageDone, Restarted, RunBegan, Token
from standalone.testing import SLOW_SECONDS

from .conftest import GIVEN_UP_SECONDS


async def read(http: httpx.AsyncClient, path: str, **headers: str) -> list[ServerSentEvent]:
    async with aconnect_sse(http, "GET", path, headers=headers) as source:
        assert source.response.status_code == 200
        return [event async for event in source.aiter_sse()]


def numbers(events: list[ServerSentEvent]) -> list[int]:
    return [int(event.id.removeprefix("1.")) for event in events]


async def test_a_chat_streams_its_run_in_the_response(ada, agent) -> None:
    agent.on_start = agent.whole
    async with aconnect_sse(ada.http, "POST", "/api/chat", json={"message": " hello "}) as source:
        headers = source.response.headers
        assert source.response.status_code == 200
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["cache-control"] == "no-cache, no-transform"
        assert headers["x-accel-buffering"] == "no"
        events = [event async for event in source.aiter_sse()]
    run = agent.runs[events[0].json()["run_id"]]
    assert run.request.message == "hello"
    assert run.request.username == ada.name
    assert run.request.actor.model_dump(exclude_none=True) == {"kind": "user", "user_id": ada.id}
    assert events[0].retry == 1000
    assert [(e.id, e.event, e.data.encode()) for e in events] == [(str(e.id), e.event, e.data) for e in run.published]


async def test_events_go_out_as_they_happen(ada, agent) -> None:
    async with aconnect_sse(ada.http, "POST", "/api/chat", json={"message": "hello"}) as source:
        (run,) = [run for run in agent.runs.values() if run.user_id == ada.id]
        stream = source.aiter_sse()
        for word in ("one", "two", "three"):
            await agent.emit(run, Token(token=word))
            assert (await asyncio.wait_for(anext(stream), SLOW_SECONDS)).json() == {"token": word}
        await agent.end(run)
        assert (await anext(stream)).event == "done"
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_a_finished_run_replays_and_ends(ada, agent) -> None:
    run = agent.new_run(ada.id)
    await agent.whole(run, tokens=1200)
    events = await read(ada.http, f"/api/runs/{run.id}/events")
    assert [(e.id, e.event, e.data.encode()) for e in events] == [(str(e.id), e.event, e.data) for e in run.published]


@pytest.mark.parametrize("after", [1, 7, 127, 128, 500, 1190, 1201])
async def test_a_client_resumes_after_what_it_has(ada, agent, after: int) -> None:
    run, other = agent.new_run(ada.id), agent.new_run(ada.id)
    await agent.emit(run, RunBegan(run_id=run.id, conversation_id=run.conversation_id, model="m", mode="demo"))
    await asyncio.gather(*(agent.emit(each, Token(token="x")) for _ in range(1200) for each in (run, other)))
    await agent.end(run)
    by_header = await read(ada.http, f"/api/runs/{run.id}/events", **{"Last-Event-ID": f"1.{after}"})
    by_number = await read(ada.http, f"/api/runs/{run.id}/events", **{"Last-Event-ID": str(after)})
    by_query = await read(ada.http, f"/api/runs/{run.id}/events?after=1.{after}")
    for events in (by_header, by_number, by_query):
        assert numbers(events) == list(range(after + 1, 1203))
        assert events[-1].event == "done"


async def test_who_has_it_all_is_told_not_to_come_back(ada, agent) -> None:
    run = agent.new_run(ada.id)
    await agent.whole(run)
    answer = await ada.http.get(f"/api/runs/{run.id}/events", headers={"Last-Event-ID": str(run.published[-1].id)})
    assert answer.status_code == 204


async def test_who_has_it_all_is_told_so_after_the_stream_let_it_go(ada, agent) -> None:
    run = agent.new_run(ada.id)
    run.status = "completed"
    run.published = [Envelope.of(number, 1, Token(token="x")) for number in range(1, 8)]  # none of it is in the stream
    run.rebuilt = [chat.RebuiltEvent(id=1, event="done", data={"done": True, "status": "completed", "usage": {}})]
    answer = await ada.http.get(f"/api/runs/{run.id}/events?after=7")
    assert (answer.status_code, answer.content) == (204, b"")
    assert [event.event for event in await read(ada.http, f"/api/runs/{run.id}/events")] == ["done"]


async def test_joining_in_the_middle_goes_on_live(ada, agent) -> None:
    run = agent.new_run(ada.id)
    for number in range(20):
        await agent.emit(run, Token(token=str(number)))
    async with aconnect_sse(ada.http, "GET", f"/api/runs/{run.id}/events") as source:
        stream = source.aiter_sse()
        before = [await asyncio.wait_for(anext(stream), SLOW_SECONDS) for _ in range(20)]
        await agent.emit(run, Token(token="live"))
        assert (await asyncio.wait_for(anext(stream), SLOW_SECONDS)).id == "1.21"
        await agent.end(run)
        assert numbers(before) == list(range(1, 21))
        assert [event.event async for event in stream] == ["done"]


async def test_many_tabs_watch_one_run(ada, agent) -> None:
    run = agent.new_run(ada.id)
    await agent.emit(run, Token(token="first"))
    readers = [asyncio.ensure_future(read(ada.http, f"/api/runs/{run.id}/events")) for _ in range(12)]
    for number in range(50):
        await agent.emit(run, Token(token=str(number)))
    await agent.end(run)
    for events in await asyncio.gather(*readers):
        assert numbers(events) == list(range(1, 53))


async def test_what_an_older_worker_still_says_is_dropped(ada, agent) -> None:
    run = agent.new_run(ada.id)
    await agent.emit(run, Token(token="old"))
    reading = asyncio.ensure_future(read(ada.http, f"/api/runs/{run.id}/events"))
    late = [run.published[0]._replace(seq=seq, data=b'{"token":"late"}') for seq in (2, 3)]
    run.attempt = 2
    await agent.emit(run, Restarted(attempt=2))
    await agent.tell(run, *late)
    await agent.emit(run, Token(token="new"))
    await agent.end(run)
    for events in (await reading, await read(ada.http, f"/api/runs/{run.id}/events")):
        assert [(e.id, e.event) for e in events] == [
            ("1.1", "token"),
            ("2.2", "restart"),
            ("2.3", "token"),
            ("2.4", "done"),
        ]
        assert events[2].json() == {"token": "new"}


async def test_what_was_said_but_never_stored_is_taken_back(ada, agent) -> None:
    """An attempt died together with the stream: the next one continues from the stored events."""
    run = agent.new_run(ada.id)
    await agent.emit(run, Token(token="a"))
    async with aconnect_sse(ada.http, "GET", f"/api/runs/{run.id}/events") as source:
        stream = source.aiter_sse()
        assert (await asyncio.wait_for(anext(stream), SLOW_SECONDS)).id == "1.1"
        await agent.emit(run, Token(token="void"), stored=False)
        await agent.emit(run, Token(token="void"), stored=False)
        assert [(await asyncio.wait_for(anext(stream), SLOW_SECONDS)).id for _ in range(2)] == ["1.2", "1.3"]
        del run.published[1:]
        run.attempt = 2
        await agent.emit(run, Restarted(attempt=2))
        await agent.end(run)
        assert [(event.id, event.event) async for event in stream] == [("2.2", "restart"), ("2.3", "done")]
    for last in ("1.1", "1.2", "1.3"):
        events = await read(ada.http, f"/api/runs/{run.id}/events", **{"Last-Event-ID": last})
        assert [(event.id, event.event) for event in events] == [("2.2", "restart"), ("2.3", "done")]


async def test_a_run_that_the_stream_has_deleted_is_rebuilt(ada, agent) -> None:
    run = agent.new_run(ada.id)
    run.status = "completed"
    stored = [
        RunBegan(run_id=run.id, conversation_id=run.conversation_id, model="m", mode="demo"),
        MessageDone(message_id=new_id(), text="whole"),
        Done(status="completed"),
    ]
    run.rebuilt = [
        chat.RebuiltEvent(id=number, event=event.event, data=event.model_dump(exclude_none=True))
        for number, event in enumerate(stored, 1)
    ]
    events = await read(ada.http, f"/api/runs/{run.id}/events")
    assert [(e.id, e.event) for e in events] == [("2.1", "run"), ("2.2", "message"), ("2.3", "done")]
    assert events[1].json()["text"] == "whole"
    again = await read(ada.http, f"/api/runs/{run.id}/events?after=40")
    assert [(e.id, e.event) for e in again] == [
        ("2.0", "restart"),
        ("2.1", "run"),
        ("2.2", "message"),
        ("2.3", "done"),
    ]
    rest = await read(ada.http, f"/api/runs/{run.id}/events?after=2.1")
    assert [e.id for e in rest] == ["2.2", "2.3"]
    assert (await ada.http.get(f"/api/runs/{run.id}/events?after=2.3")).status_code == 204


async def test_an_agent_that_never_speaks_ends_in_a_time_out(ada, agent, impatient) -> None:
    async with aconnect_sse(ada.http, "POST", f"{impatient}/api/chat", json={"message": "hello"}) as source:
        events = [event async for event in source.aiter_sse()]
    assert [event.event for event in events] == ["run_error", "done"]
    assert events[0].json() == {
        "code": "timeout",
        "message": "The assistant did not answer in time.",
        "retryable": True,
    }
    assert events[1].json()["status"] == "failed"
    assert [event.id for event in events] == ["", ""]  # no client may resume after events that are not the run's


async def test_an_agent_that_falls_silent_ends_in_a_time_out(ada, agent, impatient) -> None:
    run = agent.new_run(ada.id)
    await agent.emit(run, Token(token="begun"))
    events = await read(ada.http, f"{impatient}/api/runs/{run.id}/events")
    assert [(e.event, e.id) for e in events] == [("token", "1.1"), ("run_error", "1.1"), ("done", "1.1")]


async def test_a_run_that_waits_for_a_person_is_waited_for(ada, agent, impatient) -> None:
    run = agent.new_run(ada.id)
    await agent.emit(run, Token(token="may I?"))
    run.status = "waiting"
    reading = asyncio.ensure_future(read(ada.http, f"{impatient}/api/runs/{run.id}/events"))
    done, _ = await asyncio.wait({reading}, timeout=GIVEN_UP_SECONDS * 2)
    assert not done
    await agent.end(run)
    assert [event.event for event in await reading] == ["token", "done"]


async def test_a_run_that_ended_without_a_word_is_found_out(ada, agent) -> None:
    run = agent.new_run(ada.id)
    await agent.emit(run, Token(token="begun"))
    reading = asyncio.ensure_future(read(ada.http, f"/api/runs/{run.id}/events"))
    run.status = "failed"
    run.rebuilt = [chat.RebuiltEvent(id=1, event="done", data={"done": True, "status": "failed"})]
    events = await reading
    assert [(event.event, event.id) for event in events] == [
        ("token", "1.1"),
        ("restart", "2.0"),
        ("done", "2.1"),
    ]


@pytest.mark.parametrize("finished", [False, True])
async def test_an_agent_that_is_being_restarted_is_waited_for(ada, agent, finished: bool) -> None:
    run = agent.new_run(ada.id)
    agent.away.set()
    reading = asyncio.ensure_future(read(ada.http, f"/api/runs/{run.id}/events"))
    done, _ = await asyncio.wait({reading}, timeout=0.3)
    assert not done
    if finished:
        run.status = "failed"
        run.rebuilt = [chat.RebuiltEvent(id=1, event="done", data={"done": True, "status": "failed"})]
    agent.away.clear()
    if not finished:
        await agent.whole(run)
    events = await reading
    attempt = 2 if finished else 1
    assert [event.id for event in events] == [
        f"{attempt}.{number}" for number in range(1, len(run.published or run.rebuilt) + 1)
    ]
    assert events[-1].event == "done"


async def test_a_run_that_nobody_knows_ends_once_that_is_known(ada, agent) -> None:
    agent.away.set()
    reading = asyncio.ensure_future(read(ada.http, f"/api/runs/{new_id()}/events"))
    done, _ = await asyncio.wait({reading}, timeout=0.3)
    assert not done
    agent.away.clear()
    assert [event.event for event in await reading] == ["run_error", "done"]


async def test_a_known_client_request_id_streams_the_same_run(ada, agent) -> None:
    agent.on_start = agent.whole
    body = {"message": "hello", "client_request_id": new_id()}
    first = (await ada.http.post("/api/runs", json=body)).json()
    assert (await ada.http.post("/api/runs", json=body)).json() == first
    async with aconnect_sse(ada.http, "POST", "/api/chat", json=body) as source:
        events = [event async for event in source.aiter_sse()]
    assert events[0].json()["run_id"] == first["run_id"]
    assert numbers(events) == list(range(1, len(events) + 1))


async def test_cancelling_ends_the_stream(ada, agent) -> None:
    run_id = (await ada.http.post("/api/runs", json={"message": "hello"})).json()["run_id"]
    reading = asyncio.ensure_future(read(ada.http, f"/api/runs/{run_id}/events"))
    for _ in range(2):
        answer = await ada.http.post(f"/api/runs/{run_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert [event.json()["status"] for event in await reading] == ["cancelled"]


@pytest.mark.parametrize(
    "error",
    [
        RunActive(run_id=new_id()),
        StaleBranch(current_message_id=new_id()),
        NotFound(),
        ServiceUnavailable(),
        RateLimited(retry_after=7),
    ],
)
@pytest.mark.parametrize("path", ["/api/chat", "/api/runs"])
async def test_a_run_that_cannot_start_is_a_problem_not_a_stream(ada, agent, path: str, error) -> None:
    agent.refuse_with = error
    answer = await ada.http.post(path, json={"message": "hello"})
    assert answer.status_code == error.status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == error.code
    if isinstance(error, RunActive):
        assert problem["run_id"] == error.details["run_id"]
    if isinstance(error, StaleBranch):
        assert problem["current_message_id"] == error.details["current_message_id"]
    if isinstance(error, RateLimited):
        assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("path", ["/api/chat", "/api/runs"])
async def test_the_message_that_the_sender_saw_last_is_told_as_it_was_named(ada, agent, path: str) -> None:
    agent.on_start = agent.whole
    conversation = (await ada.http.post("/api/conversations", json={})).json()["id"]
    for named in ({"parent_message_id": new_id()}, {"parent_message_id": None}, {}):
        known = set(agent.runs)
        answer = await ada.http.post(path, json={"message": "hello", "conversation_id": conversation, **named})
        assert answer.status_code in (200, 202)
        (started,) = [run.request for run in agent.runs.values() if run.id not in known]
        assert started.names_parent is bool(named)
        assert started.parent_message_id == named.get("parent_message_id")
    answer = await ada.http.post(path, json={"message": "hello", "parent_message_id": new_id()})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert "conversation_id" in answer.json()["errors"][0]["message"]


async def test_nothing_of_a_run_reaches_another_user(ada, bob, agent) -> None:
    run = agent.new_run(ada.id)
    await agent.whole(run)
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
        answer = await bob.http.request(method, f"/api/runs/{run.id}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "header", ["x", "-1", "0.5", "1.-5", "1.5.2", ".", "1.", ".5", "1 .5", "9" * 40, "9" * 40 + ".1", "１"]
)
async def test_a_senseless_last_event_id_is_refused(ada, agent, header: str) -> None:
    run = agent.new_run(ada.id)
    by_query = await ada.http.get(f"/api/runs/{run.id}/events", params={"after": header})
    assert (by_query.status_code, by_query.json()["code"]) == (422, "validation_failed")
    answer = await ada.http.get(f"/api/runs/{run.id}/events", headers={"Last-Event-ID": header.encode()})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
