"""What a tab receives over its WebSocket."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest
import websockets
from nats.aio.client import Client
from websockets.asyncio.client import ClientConnection

from contracts import subjects
from contracts.ids import new_id
from contracts.user_events import RunChanged
from gateway.live.note_feed import MAX_REPLAY
from gateway.main import running
from standalone.testing import SLOW_SECONDS, connection, until

from .conftest import PASSWORD, Person

pytestmark = pytest.mark.usefixtures("notes_service")


@asynccontextmanager
async def opened(
    gateway: str, cookie: str, query: str = "", origin: str | None = None
) -> AsyncGenerator[ClientConnection]:
    address = gateway.replace("http://", "ws://") + "/ws" + query
    headers = {"Cookie": f"inkstream_session={cookie}"} if cookie else {}
    async with websockets.connect(address, additional_headers=headers, origin=origin) as socket:  # pyright: ignore
        yield socket


async def receive(socket: ClientConnection) -> dict[str, Any]:
    return json.loads(await asyncio.wait_for(socket.recv(), SLOW_SECONDS))


async def closed_with(socket: ClientConnection) -> int:
    with pytest.raises(websockets.ConnectionClosed):
        while True:
            await asyncio.wait_for(socket.recv(), SLOW_SECONDS)
    return socket.close_code or 0


async def write(person: Person, count: int = 1) -> str:
    note_id = ""
    for number in range(count):
        answer = await person.http.post("/api/notes", json={"title": f"Note {number}"})
        note_id = answer.json()["id"]
    return note_id


async def test_a_tab_receives_every_change(gateway, ada) -> None:
    async with opened(gateway, ada.cookie) as one, opened(gateway, ada.cookie) as two:
        for socket in (one, two):
            hello = await receive(socket)
            assert (hello["type"], hello["cursor"]) == ("hello", 0)
            assert hello["server_time"]
        note_id = await write(ada)
        await ada.http.patch(f"/api/notes/{note_id}", json={"title": "Changed"})
        await ada.http.delete(f"/api/notes/{note_id}")
        for socket in (one, two):
            changes = [await receive(socket) for _ in range(3)]
            assert [(t["type"], t["op"], t["id"], t["cursor"]) for t in changes] == [
                ("note_changed", "create", note_id, 1),
                ("note_changed", "update", note_id, 2),
                ("note_changed", "delete", note_id, 3),
            ]
            assert changes[0]["actor"] == {"kind": "user"}


async def test_a_tab_that_was_away_first_receives_what_it_missed(gateway, ada) -> None:
    async with opened(gateway, ada.cookie) as socket:
        cursor = (await receive(socket))["cursor"]
    await write(ada, 5)
    async with opened(gateway, ada.cookie, f"?since={cursor}") as socket:
        assert (await receive(socket))["type"] == "hello"
        await write(ada, 2)
        assert [(await receive(socket))["cursor"] for _ in range(7)] == list(range(cursor + 1, cursor + 8))
    async with opened(gateway, ada.cookie, "?since=7") as socket:
        assert (await receive(socket))["cursor"] == 7
        await write(ada)
        assert (await receive(socket))["cursor"] == 8


async def test_who_comes_back_from_elsewhere_fetches_afresh(gateway, ada) -> None:
    await write(ada)
    async with opened(gateway, ada.cookie, "?since=99") as socket:
        assert (await receive(socket))["cursor"] == 1
        assert await receive(socket) == {"type": "resync"}
        await write(ada)
        assert (await receive(socket))["cursor"] == 2


async def test_who_was_away_too_long_fetches_afresh(gateway, ada, postgres) -> None:
    """The bound, seen from both sides by moving it."""
    await write(ada, 3)
    original = "gateway.live.note_feed.MAX_REPLAY"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(original, 2)
        async with opened(gateway, ada.cookie, "?since=0") as socket:
            assert [(await receive(socket))["type"] for _ in range(2)] == ["hello", "resync"]
        async with opened(gateway, ada.cookie, "?since=1") as socket:
            assert [(await receive(socket))["type"] for _ in range(3)] == ["hello", "note_changed", "note_changed"]
    assert MAX_REPLAY > 2


async def test_a_lost_message_is_fetched_and_order_kept(gateway, ada, broker) -> None:
    """Someone else's copy of change 3 arrives, while 2 never did."""
    note_id = await write(ada)
    async with opened(gateway, ada.cookie) as socket, connection(broker, "notes-service") as notes:
        assert (await receive(socket))["cursor"] == 1
        forged = {"type": "note_changed", "op": "update", "id": note_id, "version": 9, "actor": {"kind": "user"}}
        for cursor in (3, 1):
            await notes.publish(subjects.user_notes(ada.id), json.dumps(forged | {"cursor": cursor}).encode())
        await notes.flush()
        await write(ada, 2)
        assert [(await receive(socket))["cursor"] for _ in range(2)] == [2, 3]


async def test_signals_are_passed_on(gateway, ada, agent_connection: Client) -> None:
    async with opened(gateway, ada.cookie) as socket:
        await receive(socket)
        signal = RunChanged(run_id=new_id(), conversation_id=new_id(), status="running")
        await agent_connection.publish(subjects.user_signal(ada.id), signal.model_dump_json().encode())
        assert await receive(socket) == signal.model_dump()


async def test_nothing_of_one_user_reaches_another(gateway, ada, bob) -> None:
    async with opened(gateway, ada.cookie) as hers, opened(gateway, bob.cookie) as his:
        await receive(hers)
        await receive(his)
        await write(ada)
        assert (await receive(hers))["type"] == "note_changed"
        await his.send('{"type":"ping"}')
        assert await receive(his) == {"type": "pong"}  # and nothing before it


@pytest.mark.parametrize("cookie", ["", "made-up"])
async def test_without_a_session_it_closes(gateway, cookie: str) -> None:
    async with opened(gateway, cookie) as socket:
        assert await closed_with(socket) == 4401


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_another_sites_page_may_not_listen(gateway, ada, origin: str) -> None:
    async with opened(gateway, ada.cookie, origin=origin) as socket:
        assert await closed_with(socket) == 4403


async def test_our_own_page_may_listen(gateway, ada) -> None:
    async with opened(gateway, ada.cookie, origin=gateway) as socket:
        assert (await receive(socket))["type"] == "hello"


async def test_signing_out_closes_this_sessions_sockets_only(gateway, ada, nobody) -> None:
    await nobody.post("/api/auth/login", json={"username": ada.name, "password": PASSWORD})
    async with (
        opened(gateway, ada.cookie) as leaving,
        opened(gateway, nobody.cookies["inkstream_session"]) as staying,
    ):
        await receive(leaving)
        await receive(staying)
        await ada.http.post("/api/auth/logout")
        assert await closed_with(leaving) == 4401
        await staying.send('{"type":"ping"}')
        assert await receive(staying) == {"type": "pong"}


async def test_a_new_password_closes_the_other_sessions_sockets(gateway, ada, nobody) -> None:
    await nobody.post("/api/auth/login", json={"username": ada.name, "password": PASSWORD})
    async with opened(gateway, nobody.cookies["inkstream_session"]) as socket:
        await receive(socket)
        await ada.http.post("/api/auth/password", json={"current": PASSWORD, "new": "another one"})
        assert await closed_with(socket) == 4401


async def test_there_is_a_limit_for_each_user(gateway, ada, bob, settings) -> None:
    async with opened(gateway, ada.cookie) as first:
        await receive(first)
        sockets = [
            await websockets.connect(
                gateway.replace("http://", "ws://") + "/ws",
                additional_headers={"Cookie": f"inkstream_session={ada.cookie}"},
            )
            for _ in range(settings.sockets_per_user - 1)
        ]
        for socket in sockets:
            await receive(socket)
        async with opened(gateway, ada.cookie) as one_too_many, opened(gateway, bob.cookie) as someone_else:
            assert await closed_with(one_too_many) == 1013
            assert (await receive(someone_else))["type"] == "hello"
        await asyncio.gather(*(socket.close() for socket in sockets))


async def test_the_limit_is_one_for_all_gateways(gateway, ada, bob, settings, agent) -> None:
    async with AsyncExitStack() as stack:
        other = f"http://127.0.0.1:{await stack.enter_async_context(running(settings))}"
        sockets = [
            await stack.enter_async_context(opened(gateway if number % 2 else other, ada.cookie))
            for number in range(settings.sockets_per_user)
        ]
        for socket in sockets:
            assert (await receive(socket))["type"] == "hello"
        for address in (gateway, other):
            async with opened(address, ada.cookie) as one_too_many, opened(address, bob.cookie) as someone_else:
                assert await closed_with(one_too_many) == 1013
                assert (await receive(someone_else))["type"] == "hello"
        await sockets[0].close()

        async def admitted() -> bool:
            async with opened(gateway, ada.cookie) as socket:
                try:
                    return (await receive(socket))["type"] == "hello"
                except websockets.ConnectionClosed:
                    return False

        await until("a socket in place of the one that closed at the other gateway", admitted)


async def test_a_gateway_that_died_or_was_forgotten_counts_right(gateway, ada, settings, postgres) -> None:
    """The numbers of a gateway that does not renew them end to count; those of one that does are written again."""
    db = await asyncpg.connect(postgres.dsn("accounts"))
    gone = new_id()
    await db.execute("INSERT INTO accounts.open_sockets VALUES ($1, $2, 1000)", ada.id, gone)
    await db.execute("INSERT INTO accounts.gateways VALUES ($1, now() - interval '1 second')", gone)
    async with opened(gateway, ada.cookie) as socket:
        assert (await receive(socket))["type"] == "hello"
        await db.execute("TRUNCATE accounts.gateways, accounts.open_sockets")  # what a crash of PostgreSQL does

        async def written_again() -> bool:
            count = "SELECT sum(count) FROM accounts.open_sockets WHERE user_id = $1"
            return await db.fetchval(count, ada.id) == 1

        await until("the number of this gateway's sockets", written_again)
    await db.close()


async def test_who_does_not_listen_is_let_go(gateway, ada, agent_connection: Client) -> None:
    """A tab that lags is closed or disconnected; in either case it costs nothing from then on."""
    address = gateway.replace("http://", "ws://") + "/ws"
    headers = {"Cookie": f"inkstream_session={ada.cookie}"}
    async with websockets.connect(address, additional_headers=headers, max_queue=1) as socket:
        await receive(socket)
        large = json.dumps({"type": "run_changed", "padding": "x" * 100_000}).encode()
        for _ in range(150):
            await agent_connection.publish(subjects.user_signal(ada.id), large)
        await agent_connection.flush()
        await wait_until_gone(ada, gateway)
        assert await closed_with(socket) in (4408, 1006)


async def wait_until_gone(person: Person, gateway: str) -> None:
    async with asyncio.timeout(SLOW_SECONDS):
        while "inkstream_open_sockets 0.0" not in (await person.http.get("/metrics")).text:
            continue


@pytest.mark.parametrize("text", ["", "{", "[]", '"ping"', '{"type":7}', "ping"])
async def test_what_makes_no_sense_is_ignored(gateway, ada, text: str) -> None:
    async with opened(gateway, ada.cookie) as socket:
        await receive(socket)
        await socket.send(text)
        await socket.send(b"\x00\xff")
        await socket.send('{"type":"ping"}')
        assert await receive(socket) == {"type": "pong"}


async def test_a_flood_of_pings_ends_the_socket(gateway, ada, bob) -> None:
    async with opened(gateway, ada.cookie) as flooding, opened(gateway, bob.cookie) as someone_else:
        await receive(someone_else)
        with suppress(websockets.ConnectionClosed):
            for _ in range(100_000):
                await flooding.send('{"type":"ping"}')
        assert await closed_with(flooding) == 1008
        await someone_else.send('{"type":"ping"}')
        assert await receive(someone_else) == {"type": "pong"}


async def test_so_does_a_flood_of_its_smallest_frames(gateway, ada) -> None:
    """Those that the protocol answers by itself, from a client that takes no answers."""
    async with opened(gateway, ada.cookie) as flooding:
        await receive(flooding)
        flooding.transport.write(b"\x89\x80\x00\x00\x00\x00" * 100_000)
        assert await closed_with(flooding) == 1008


async def test_pings_as_often_as_a_person_can_want_are_answered(gateway, ada) -> None:
    async with opened(gateway, ada.cookie) as socket:
        await receive(socket)
        for _ in range(200):
            await socket.send('{"type":"ping"}')
            assert await receive(socket) == {"type": "pong"}


async def test_a_gateway_that_stops_says_so_to_sockets_and_streams(settings, ada, agent) -> None:
    run = agent.new_run(ada.id)
    stopped = asyncio.Event()

    async def serve(port: asyncio.Future[int]) -> None:
        async with running(
            settings.model_copy(update={"run_limit_s": 10 * SLOW_SECONDS, "run_ask_s": 10 * SLOW_SECONDS})
        ) as opened_port:
            port.set_result(opened_port)
            await stopped.wait()

    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.ensure_future(serve(port))
    address = f"http://127.0.0.1:{await port}"
    async with opened(address, ada.cookie) as socket:
        await receive(socket)
        async with ada.http.stream("GET", f"{address}/api/runs/{run.id}/events") as stream:
            stopped.set()
            assert [chunk async for chunk in stream.aiter_raw()] == [b"retry: 1000\n"]
            assert await closed_with(socket) == 1012
        await asyncio.wait_for(serving, SLOW_SECONDS)
