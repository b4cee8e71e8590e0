"""Runs that wait for a person for longer than the stream retains their events."""

import asyncio

import httpx
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse

from contracts import streams, subjects
from contracts.run_events import ApprovalDecided, ApprovalRequired, CallWaiting, Envelope, Restarted, RunBegan, Token
from standalone.testing import SLOW_SECONDS

from .scripted_agent import ScriptedAgent, ScriptedRun

WAITING = CallWaiting(call_id="d0", name="delete_note", arguments={})


async def waiting_run(agent: ScriptedAgent, user_id: str, gone: int) -> ScriptedRun:
    """One that has published ten things, the last over two workers; the log has deleted the first `gone` of them."""
    run = agent.new_run(user_id)
    began = RunBegan(run_id=run.id, conversation_id=run.conversation_id, model="m", mode="demo")
    published = [began, *(Token(token=f"{number} ") for number in range(8)), ApprovalRequired(calls=[WAITING])]
    published[5] = Restarted(attempt=2)
    for number, event in enumerate(published):
        run.attempt = 1 if number < 5 else 2
        await agent.emit(run, event)
    run.retained, run.status = list(run.published), "waiting"
    await forget(agent, run, gone)
    return run


async def forget(agent: ScriptedAgent, run: ScriptedRun, gone: int) -> None:
    """As age does: the oldest first."""
    stream, subject = str(streams.RUN_EVENTS.name), subjects.run_log(run.user_id, run.id)
    await agent.js.purge_stream(stream, subject=subject)
    for event in run.published[gone:]:
        await agent.store(run, event, again=1)


def as_wire(events: list[ServerSentEvent]) -> list[tuple[str, str, bytes]]:
    return [(event.id, event.event, event.data.encode()) for event in events]


def wire(published: list[Envelope]) -> list[tuple[str, str, bytes]]:
    return [(str(event.id), event.event, event.data) for event in published]


def after_id(number: int) -> str:
    return f"{1 if number <= 5 else 2}.{number}"


async def follow(agent: ScriptedAgent, http: httpx.AsyncClient, run: ScriptedRun, after: int) -> list[ServerSentEvent]:
    """What a reader who has `after` events gets before the person decides, and what after that."""
    async with aconnect_sse(http, "GET", f"/api/runs/{run.id}/events?after={after_id(after)}") as source:
        stream = source.aiter_sse()
        events = [await asyncio.wait_for(anext(stream), SLOW_SECONDS) for _ in range(after, 10)]
        await agent.emit(run, ApprovalDecided(call_id="d0", approve=True, by="user"))
        await agent.end(run)
        return events + [event async for event in stream]


@pytest.mark.parametrize("gone", [0, 4, 5, 9, 10])
@pytest.mark.parametrize("after", [0, 3, 7, 10])
async def test_a_client_that_comes_during_the_wait_gets_all_of_it(ada, agent, gone: int, after: int) -> None:
    run = await waiting_run(agent, ada.id, gone)
    assert as_wire(await follow(agent, ada.http, run, after)) == wire(run.published[after:])


@pytest.mark.parametrize("after", [0, 7, 10, 11])
async def test_a_client_that_comes_after_the_wait_gets_all_of_it(ada, agent, after: int) -> None:
    """Events from before the wait are retained in the database; later ones are in the stream."""
    run = await waiting_run(agent, ada.id, 10)
    await follow(agent, ada.http, run, 10)
    async with aconnect_sse(ada.http, "GET", f"/api/runs/{run.id}/events?after={after_id(after)}") as source:
        assert as_wire([event async for event in source.aiter_sse()]) == wire(run.published[after:])


async def test_an_agent_that_is_being_restarted_meanwhile_is_waited_for(ada, agent) -> None:
    run = await waiting_run(agent, ada.id, 10)
    agent.away.set()
    following = asyncio.ensure_future(follow(agent, ada.http, run, 0))
    done, _ = await asyncio.wait({following}, timeout=0.3)
    assert not done
    agent.away.clear()
    assert as_wire(await following) == wire(run.published)
