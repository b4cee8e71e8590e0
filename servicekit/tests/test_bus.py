"""The connection to NATS: the guarantee of a flush, and a start without a broker."""

import asyncio
import traceback

import pytest
import structlog
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError, MaxPayloadError

from contracts import subjects
from servicekit import bus
from servicekit.errors import Unreachable
from standalone.nats import Nats
from standalone.ports import free_port
from standalone.testing import SLOW_SECONDS, until


async def test_after_a_flush_the_server_knows_every_subscription(broker: Nats):
    """Readers of runs rely on it: everything that is published after the flush reaches them."""
    async with (
        bus.connected(broker.url("gateway"), "reader") as reader,
        bus.connected(broker.url("notes-service"), "writer") as writer,
    ):
        for number in range(200):
            subscriptions = [await reader.subscribe(subjects.user_signal(f"{number}")) for _ in range(3)]
            await reader.flush()
            await writer.publish(subjects.user_signal(f"{number}"), b"%d" % number)
            for subscription in subscriptions:
                assert (await subscription.next_msg(SLOW_SECONDS)).data == b"%d" % number
                await subscription.unsubscribe()


async def test_what_is_published_now_arrives_in_order(broker: Nats):
    """Runs' events are published so, between other messages and with headers for the log."""
    subject, count = subjects.user_signal("now"), 300
    async with (
        bus.connected(broker.url("gateway"), "reader") as reader,
        bus.connected(broker.url("notes-service"), "writer") as writer,
    ):
        heard = await reader.subscribe(subject)
        await reader.flush()
        for number in range(count):
            if number % 3 == 0:
                await writer.publish(subject, b"%d" % number)
            else:
                writer.publish_now(
                    subject, b"%d" % number, headers={"Number": str(number)} if number % 3 == 2 else None
                )
        for number in range(count):
            msg = await heard.next_msg(SLOW_SECONDS)
            assert msg.data == b"%d" % number
            assert (msg.headers or {}).get("Number") == (str(number) if number % 3 == 2 else None)


async def test_what_is_received_now_arrives_in_order(broker: Nats):
    """Also after a reconnect, and no longer once unsubscribed."""
    subject = subjects.user_signal("received")
    received: list[tuple[str, bytes]] = []
    async with (
        bus.connected(broker.url("gateway"), "reader") as reader,
        bus.connected(broker.url("notes-service"), "writer") as writer,
    ):
        subscription = await reader.subscribe_now(subject, lambda *message: received.append(message))
        await reader.flush()

        async def publish(count: int) -> list[tuple[str, bytes]]:
            received.clear()
            for number in range(count):
                writer.publish_now(subject, b"%d" % number)
            await writer.flush()
            await reader.flush()
            return received

        assert await publish(200) == [(subject, b"%d" % number) for number in range(200)]
        reconnects = reader.stats["reconnects"]
        await reader.force_reconnect()

        async def reconnected() -> bool:
            return reader.stats["reconnects"] > reconnects and reader.is_connected

        await until("a connection that is back", reconnected)
        await reader.flush()
        assert len(await publish(3)) == 3
        await subscription.unsubscribe()
        assert await publish(3) == []


async def test_what_cannot_be_published_now_is_refused(broker: Nats):
    async with bus.connected(broker.url("notes-service"), "writer") as writer:
        with pytest.raises(MaxPayloadError):
            writer.publish_now(subjects.user_signal("now"), b"x" * (writer.max_payload + 1))
    with pytest.raises(ConnectionClosedError):
        writer.publish_now(subjects.user_signal("now"), b"")


async def test_after_a_drain_nothing_that_came_is_lost(broker: Nats):
    async with bus.connected(broker.url("notes-service"), "writer") as writer:
        for number in range(30):
            received: list[int] = []
            async with bus.connected(broker.url("gateway"), "reader") as reader:

                async def receive(msg, received=received) -> None:
                    received.append(int(msg.data))

                subscription = await reader.subscribe(subjects.user_signal(f"d{number}"), cb=receive)
                await reader.flush()
                for count in range(100):
                    await writer.publish(subjects.user_signal(f"d{number}"), b"%d" % count)
                    if count == 49:
                        await writer.flush()
                        draining = asyncio.create_task(subscription.drain())
                await writer.flush()
                await draining
            assert received == list(range(len(received)))
            assert len(received) >= 50


async def test_a_request_does_not_outwait_its_connection(broker: Nats):
    async with (
        bus.connected(broker.url("gateway"), "asker") as asker,
        bus.connected(broker.url("agent-service"), "silent") as silent,
    ):
        requests = await silent.subscribe("agent.never.answered")
        await silent.flush()
        pending = asyncio.create_task(asker.request("agent.never.answered", timeout=60))
        await requests.next_msg(SLOW_SECONDS)
        await asker.force_reconnect()
        with pytest.raises(ConnectionClosedError):
            await asyncio.wait_for(pending, SLOW_SECONDS)


@pytest.mark.parametrize("reason", ["no server", "wrong password"])
async def test_a_start_without_a_broker_is_given_up(broker: Nats, monkeypatch, reason):
    monkeypatch.setattr(bus, "START_SECONDS", 0.5)
    url = {
        "no server": f"nats://127.0.0.1:{free_port()}",
        "wrong password": f"nats://notes:wrong@127.0.0.1:{broker.port}",
    }[reason]
    with pytest.raises(Unreachable):
        async with asyncio.timeout(SLOW_SECONDS), bus.connected(url, "test"):
            pass


async def test_a_bug_in_a_callback_is_logged_with_its_place_and_the_next_message_is_served(broker: Nats):
    numbers: asyncio.Queue[int] = asyncio.Queue()

    async def receive(msg: Msg) -> None:
        numbers.put_nowait(int(msg.data))

    with structlog.testing.capture_logs() as logs:
        async with (
            bus.connected(broker.url("gateway"), "reader") as reader,
            bus.connected(broker.url("notes-service"), "writer") as writer,
        ):
            await reader.subscribe(subjects.user_signal("bug"), cb=receive)
            await reader.flush()
            await writer.publish(subjects.user_signal("bug"), b"no number")
            await writer.publish(subjects.user_signal("bug"), b"1")
            await writer.flush()
            assert await asyncio.wait_for(numbers.get(), SLOW_SECONDS) == 1
    [error] = [entry for entry in logs if entry["log_level"] == "error"]
    assert isinstance(error["exc_info"], ValueError)
    assert traceback.extract_tb(error["exc_info"].__traceback__)[-1].name == "receive"
