"""One run's stream, read by independent clients: the browser's EventSource, httpx-sse, and a later reader."""

import asyncio

import httpx
from httpx_sse import aconnect_sse

from tests.e2e.client import assert_whole, data, read_run, signed_up, start_run
from tests.e2e.person import PASSWORD, NewContext, new_username, open_window

EVENT_SOURCE = """(runId) => new Promise((resolve, reject) => {
  const names = ["run", "token", "tool_call", "tool_args", "tool_done", "notes_changed", "message", "run_error", "done"]
  const received = []
  const source = new EventSource(`/api/runs/${runId}/events`)
  for (const name of names) source.addEventListener(name, (event) => {
    received.push([event.lastEventId, name, event.data])
    if (name === "done") { source.close(); resolve(received) }
  })
  source.onerror = () => { source.close(); reject(new Error("the stream broke")) }
})"""


async def test_two_independent_clients_read_the_same_stream(new_context: NewContext, url: str) -> None:
    username = new_username()
    context = await new_context()
    async with signed_up(url, username) as client:
        page = (await open_window(context, url, username, "Sign in")).page
        run_id = (await start_run(client, "Create a note titled Ink with a drop of blue"))["run_id"]
        ours, theirs = await asyncio.gather(read_run(client, run_id), page.evaluate(EVENT_SOURCE, run_id))
        assert_whole(ours)
        assert [[event.id, event.event, event.data] for event in ours] == theirs
        names = [event.event for event in ours]
        for name in ("token", "tool_call", "tool_args", "tool_done", "notes_changed", "message"):
            assert name in names


async def test_the_wire_is_as_the_protocol_says(url: str) -> None:
    async with (
        signed_up(url) as client,
        aconnect_sse(client, "POST", "/api/chat", json={"message": "hello"}) as source,
    ):
        headers = source.response.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["cache-control"] == "no-cache, no-transform"
        assert headers["x-accel-buffering"] == "no"
        events = [event async for event in source.aiter_sse()]
        assert events[0].retry == 1000
        assert_whole(events)
        begun = data(events[0])
        assert begun["mode"] == "demo"
        text = "".join(data(event)["token"] for event in events if event.event == "token")
        whole = [data(event)["text"] for event in events if event.event == "message"]
        assert text == "".join(whole)
        assert data(events[-1])["status"] == "completed"
        stored = (await client.get(f"/api/conversations/{begun['conversation_id']}")).json()
        assert [message["text"] for message in stored["messages"]] == ["hello", *whole]


async def test_a_reader_that_comes_back_gets_the_rest_and_only_the_rest(url: str) -> None:
    async with signed_up(url) as client:
        run_id = (await start_run(client, "Tell a long story"))["run_id"]
        received: list[tuple[str, str]] = []
        async with aconnect_sse(client, "GET", f"/api/runs/{run_id}/events") as source:
            async for event in source.aiter_sse():
                received.append((event.id, event.data))
                if len(received) == 50:
                    break
        rest = await read_run(client, run_id, after=received[-1][0])
        assert_whole(rest, after=50)
        again = await read_run(client, run_id)
        assert [(event.id, event.data) for event in again] == received + [(event.id, event.data) for event in rest]
        assert sum(event.event == "token" for event in again) >= 100


async def test_nothing_of_one_user_reaches_another(url: str) -> None:
    async with signed_up(url) as owner, signed_up(url) as stranger:
        note = (await owner.post("/api/notes", json={"title": "Secret"})).json()
        run = await start_run(owner, "Tell a long story")
        await read_run(owner, run["run_id"])
        for method, path in (
            ("GET", f"/api/notes/{note['id']}"),
            ("PATCH", f"/api/notes/{note['id']}"),
            ("DELETE", f"/api/notes/{note['id']}"),
            ("POST", f"/api/notes/{note['id']}/restore"),
            ("GET", f"/api/runs/{run['run_id']}"),
            ("GET", f"/api/runs/{run['run_id']}/events"),
            ("POST", f"/api/runs/{run['run_id']}/cancel"),
            ("GET", f"/api/conversations/{run['conversation_id']}"),
            ("PATCH", f"/api/conversations/{run['conversation_id']}"),
            ("DELETE", f"/api/conversations/{run['conversation_id']}"),
        ):
            answer = await stranger.request(method, path, json={"title": "Mine"} if method == "PATCH" else None)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (method, path)
        intruding = await stranger.post(
            "/api/runs", json={"message": "hello", "conversation_id": run["conversation_id"]}
        )
        assert intruding.status_code == 404
        for path in ("/api/notes", "/api/notes/search?q=Secret", "/api/conversations"):
            assert "Secret" not in (await stranger.get(path)).text
            assert run["conversation_id"] not in (await stranger.get(path)).text


async def test_a_stranger_without_a_session_gets_nothing(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as nobody:
        for path in ("/api/auth/me", "/api/notes", "/api/conversations", "/api/runs/0/events"):
            answer = await nobody.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "auth_required"), path
        wrong = await nobody.post("/api/auth/login", json={"username": new_username(), "password": PASSWORD})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
