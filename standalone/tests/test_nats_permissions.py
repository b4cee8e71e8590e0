"""deploy/nats.conf on a real server: each user tries every subject, and is allowed only those in the tables below."""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import nats
import pytest
from nats.aio.client import Client
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import StreamSource

from contracts import subjects
from contracts.ids import new_id
from contracts.streams import (
    ALL,
    ALL_CONSUMERS,
    NOTE_EVENTS,
    NOTE_INDEXERS,
    RUN_EVENTS,
    RUN_JOBS,
    RUN_WORKERS,
    Consumer,
)
from servicekit.bus import inbox_prefix
from standalone.nats import USERS, Nats
from standalone.paths import DEPLOY
from standalone.ports import free_port
from standalone.testing import SLOW_SECONDS, connection, until, until_provisioned

USER, RUN = new_id(), new_id()
SERVICES = {"gateway": "gateway", "notes-service": "notes", "agent-service": "agent"}
ACKS_OF_TODAY, ACKS_OF_LATER = "", "\nfeature_flags { js_ack_fc_v2: true }\n"


@pytest.fixture(scope="module", params=[ACKS_OF_TODAY, ACKS_OF_LATER], ids=["acks of today", "acks of later"])
async def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Nats]:
    """A server with deploy/nats.conf, in both forms of JetStream's ack subjects."""
    folder = tmp_path_factory.mktemp("permissions")
    started = Nats(folder, free_port())
    started.initialise()
    config = folder / "nats.conf"
    config.write_text((DEPLOY / "nats.conf").read_text() + request.param)
    command = [str(config) if part == str(DEPLOY / "nats.conf") else part for part in started.command()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220  (its output is a file)
            command, env=os.environ | started.environment(), stdout=log, stderr=log
        )
    try:
        await until_provisioned(started)
        assert ("js_ack_fc_v2" in (folder / "log").read_text()) == bool(request.param)
        yield started
    finally:
        process.terminate()
        process.wait(20)


def inbox(user: str) -> str:
    return f"_INBOX_{user}.{new_id()}"


def acks(consumer: Consumer) -> list[str]:
    """Both forms of the subject under which a message of the consumer is acked."""
    of = f"{consumer.stream.name}.{consumer.name}.1.1.1.1.0"
    return [f"$JS.ACK.{of}", f"$JS.ACK._.szMpdrwD.{of}"]


API = "$JS.API"
STREAM_CALLS = (
    *("CREATE", "UPDATE", "DELETE", "INFO", "PURGE", "SNAPSHOT", "RESTORE", "PEER.REMOVE", "LEADER.STEPDOWN"),
    *("MSG.GET", "MSG.DELETE"),
)
CONSUMER_CALLS = (
    "CREATE",
    "DURABLE.CREATE",
    "DELETE",
    "INFO",
    "MSG.NEXT",
    "PAUSE",
    "RESET",
    "UNPIN",
    "LEADER.STEPDOWN",
)
JETSTREAM = [
    *(f"{API}.{call}" for call in ("INFO", "STREAM.NAMES", "STREAM.LIST", "ACCOUNT.PURGE.$G", "SERVER.REMOVE")),
    *(f"{API}.STREAM.{call}.{stream.name}" for stream in ALL for call in STREAM_CALLS),
    *(f"{API}.STREAM.CREATE.NEW", f"{API}.CONSUMER.CREATE.{RUN_JOBS.name}"),
    *(f"{API}.DIRECT.GET.{stream.name}" for stream in ALL),
    *(f"{API}.DIRECT.GET.{stream.name}.user.x.notes" for stream in ALL),
    *(f"{API}.CONSUMER.{call}.{stream.name}" for stream in ALL for call in ("CREATE", "NAMES", "LIST")),
    *(
        f"{API}.CONSUMER.{call}.{stream.name}.{name}"
        for stream in ALL
        for call in CONSUMER_CALLS
        for name in ("workers", "learners", "spy")
    ),
    *(f"{API}.CONSUMER.CREATE.{stream.name}.spy.user.x.notes" for stream in ALL),
    *(ack for consumer in ALL_CONSUMERS for ack in acks(consumer)),
    "$JS.ACK.RUN_EVENTS.spy.1.1.1.1.0",
    *("$JS.ACK.NOTE_EVENTS.learners.RUN_JOBS.workers.1.1.1", "$JS.ACK.RUN_JOBS.workers.NOTE_EVENTS.learners.1.1.1"),
    *("$JS.FC.RUN_EVENTS.spy.1", "$JS.EVENT.ADVISORY.API", "$JSC.CI.RUN_JOBS"),
]
OURS = [
    *("notes.create", "notes.get", "notes.export.x", "notes", "agent.run.start", "agent.chat.list", "agent"),
    *(subjects.user_notes(USER), subjects.user_live(USER, RUN), subjects.user_signal(USER), f"user.{USER}.other"),
    *(subjects.run_log(USER, RUN), f"log.{USER}", f"log.{USER}.{RUN}.x", f"user.{USER}.run.{RUN}"),
    *(subjects.run_job(RUN), subjects.run_control(RUN), "jobs.other", "control.other", "anything.else"),
    subjects.SESSIONS_CHANGED,
]
DISCOVERY = [
    *("$SRV.PING", "$SRV.INFO", "$SRV.STATS"),
    *(f"$SRV.{verb}.{service}{id_}" for verb in ("PING", "INFO") for service in SERVICES for id_ in ("", ".x")),
]
INBOXES = [f"_INBOX.{new_id()}", *(inbox(user) for user in USERS.values()), f"_INBOX_{new_id()}.x"]
SERVER = [
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.USER.INFO",
    "$SYS.ACCOUNT.$G.CONNECT",
    "$G.x",
    "$NRG.x",
    "$MQTT.x",
    "$KV.x.y",
]

PUBLISHED = [*OURS, *DISCOVERY, *INBOXES, *SERVER, *JETSTREAM]
SUBSCRIPTIONS = [
    *PUBLISHED,
    *(
        ">",
        "*",
        "*.>",
        "*.*",
        "*.*.*",
        "user.>",
        "user.*.notes",
        "user.*.live.*",
        "user.*.signal",
        "log.>",
        "log.*.*",
        "notes.>",
        "agent.>",
    ),
    *(
        "jobs.>",
        "jobs.run.*",
        "control.>",
        "control.run.*",
        "$SRV.>",
        "$SRV.*",
        "$SRV.PING.>",
        "$SRV.PING.*",
        "$JS.>",
        "$JS.API.>",
    ),
    *("$JS.ACK.>", "$JS.ACK.RUN_JOBS.>", "$JS.EVENT.>", "$SYS.>", "_INBOX.>", "_INBOX.*", "*.x"),
    *(f"_INBOX_{user}.{rest}" for user in USERS.values() for rest in (">", "*")),
]

MAY_PUBLISH = {
    "gateway": {
        *("notes.create", "notes.get", "notes.export.x", "agent.run.start", "agent.chat.list"),
        *(subjects.user_signal(USER), subjects.run_control(RUN), *DISCOVERY, f"{API}.DIRECT.GET.{RUN_EVENTS.name}"),
        subjects.SESSIONS_CHANGED,
    },
    "notes-service": {
        *(subjects.user_notes(USER), subjects.user_signal(USER)),
        *(f"{API}.STREAM.INFO.{NOTE_EVENTS.name}", f"{API}.CONSUMER.INFO.{NOTE_EVENTS.name}.{NOTE_INDEXERS.name}"),
        *(f"{API}.CONSUMER.MSG.NEXT.{NOTE_EVENTS.name}.{NOTE_INDEXERS.name}", *acks(NOTE_INDEXERS)),
        "$JS.ACK.NOTE_EVENTS.learners.RUN_JOBS.workers.1.1.1",  # its own stream, with numbers that are none
    },
    "agent-service": {
        *("notes.create", "notes.get", "notes.export.x", subjects.run_job(RUN), subjects.run_control(RUN)),
        *(subjects.user_live(USER, RUN), subjects.run_log(USER, RUN), subjects.user_signal(USER)),
        *(f"{API}.STREAM.INFO.{stream.name}" for stream in (RUN_JOBS, RUN_EVENTS)),
        *(f"{API}.STREAM.PURGE.{RUN_EVENTS.name}", f"{API}.DIRECT.GET.{RUN_EVENTS.name}"),
        f"{API}.CONSUMER.INFO.{RUN_JOBS.name}.{RUN_WORKERS.name}",
        *(f"{API}.CONSUMER.MSG.NEXT.{RUN_JOBS.name}.{RUN_WORKERS.name}", *acks(RUN_WORKERS)),
        "$JS.ACK.RUN_JOBS.workers.NOTE_EVENTS.learners.1.1.1",
    },
}
MAY_SUBSCRIBE = {
    "gateway": {
        *("user.>", "user.*.notes", "user.*.live.*", "user.*.signal", subjects.SESSIONS_CHANGED),
        *(subject for subject in OURS if subject.startswith("user.")),
        *(subject for subject in SUBSCRIPTIONS if subject.startswith("_INBOX_gateway.")),
    },
    "notes-service": {
        *("notes.create", "notes.get", "notes.export.x", "notes.>", "$SRV.PING", "$SRV.INFO", "$SRV.STATS"),
        *(subject for subject in DISCOVERY if ".notes-service" in subject),
        *(subject for subject in SUBSCRIPTIONS if subject.startswith("_INBOX_notes.")),
    },
    "agent-service": {
        *("agent.run.start", "agent.chat.list", "agent.>", "$SRV.PING", "$SRV.INFO", "$SRV.STATS"),
        *(subjects.run_control(RUN), "control.run.*"),
        *(subject for subject in DISCOVERY if ".agent-service" in subject),
        *(subject for subject in SUBSCRIPTIONS if subject.startswith("_INBOX_agent.")),
    },
}
NOBODYS = "nobody.may.publish"
VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"( using queue)?')


class Attempts:
    """A connection of a service that records its permission errors."""

    def __init__(self) -> None:
        self.refused: set[tuple[str, str]] = set()
        self.all_reported = asyncio.Event()

    async def on_error(self, error: Exception) -> None:
        found = VIOLATION.search(str(error).lower())
        assert found is not None, error
        if found[2] == NOBODYS:
            self.all_reported.set()
        self.refused.add((found[1] + (found[3] or ""), found[2]))

    @asynccontextmanager
    async def connected(self, server: Nats, service: str) -> AsyncGenerator[Client]:
        nc = await nats.connect(
            server.url(service), error_cb=self.on_error, inbox_prefix=inbox_prefix(server.url(service))
        )
        try:
            yield nc
        finally:
            await nc.close()

    async def settled(self, nc: Client) -> None:
        """Returns when the client has reported every error before this call: it reports them in order."""
        await nc.publish(NOBODYS, b"")
        await asyncio.wait_for(self.all_reported.wait(), SLOW_SECONDS)

    def of(self, kind: str, tried: Iterable[str]) -> set[str]:
        return {subject for subject in tried if (kind, subject.lower()) in self.refused}  # as the client reports them


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_publishes_its_own_subjects_only(server: Nats, service: str) -> None:
    attempts = Attempts()
    async with attempts.connected(server, service) as nc:
        for subject in PUBLISHED:
            await nc.publish(subject, b"")
        await attempts.settled(nc)
    assert set(PUBLISHED) - attempts.of("publish", PUBLISHED) == MAY_PUBLISH[service]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_subscribes_to_its_own_subjects_only(server: Nats, service: str) -> None:
    attempts = Attempts()
    async with attempts.connected(server, service) as nc:
        for subject in SUBSCRIPTIONS:
            await nc.subscribe(subject)
            await nc.subscribe(subject, queue="others")
        await attempts.settled(nc)
    for kind in ("subscription", "subscription using queue"):
        assert set(SUBSCRIPTIONS) - attempts.of(kind, SUBSCRIPTIONS) == MAY_SUBSCRIBE[service], kind


@pytest.mark.parametrize("credentials", ["{}", '{"user": "gateway", "pass": "wrong"}', '{"user": "", "pass": ""}'])
async def test_nobody_connects_without_a_password(server: Nats, credentials: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        await reader.readline()
        writer.write(f"CONNECT {credentials}\r\nPING\r\n".encode())
        async with asyncio.timeout(10):
            assert await reader.readline() == b"-ERR 'Authorization Violation'\r\n"
            assert await reader.read() == b""
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_reply_is_received_by_its_requester_only(server: Nats) -> None:
    """Regression: the title of another user's conversation could be read with the notes service's credentials."""
    spies = Attempts()
    async with (
        spies.connected(server, "notes-service") as spy,
        connection(server, "gateway") as gateway,
        connection(server, "agent-service") as agent,
    ):
        overheard = [await spy.subscribe(subject) for subject in (">", "_INBOX.>", "_INBOX_gateway.>", "agent.>")]
        await spy.flush()
        requests = await agent.subscribe("agent.chat.list")
        await agent.flush()
        reply = asyncio.ensure_future(gateway.request("agent.chat.list", b"", timeout=10))
        await (await requests.next_msg(10)).respond(b"a title")
        assert (await reply).data == b"a title"
        await spy.flush()
        assert [subscription.pending_msgs for subscription in overheard] == [0, 0, 0, 0]
    assert len(spies.refused) == 4


async def test_one_reply_to_the_requester_and_none_to_others(server: Nats) -> None:
    attempts = Attempts()
    async with attempts.connected(server, "notes-service") as notes, connection(server, "gateway") as gateway:
        requests = await notes.subscribe("notes.get")
        replies = await gateway.subscribe(f"{inbox_prefix(server.url('gateway'))}.mine")
        await asyncio.gather(notes.flush(), gateway.flush())
        await gateway.publish("notes.get", b"", reply=replies.subject)
        message = await requests.next_msg(10)
        await message.respond(b"one")
        await message.respond(b"two")
        await notes.flush()
        await gateway.flush()
        assert (await replies.next_msg(10)).data == b"one"
        with pytest.raises(NatsTimeoutError):
            await replies.next_msg(0.2)


async def test_a_service_acks_its_jobs(server: Nats) -> None:
    """With both forms of the ack's subject: a job whose ack is refused would be redelivered for ever."""
    work = (
        ("agent-service", RUN_WORKERS, subjects.run_job(RUN)),
        ("notes-service", NOTE_INDEXERS, subjects.user_notes(USER)),
    )
    async with connection(server, "admin") as admin:
        for service, consumer, subject in work:
            attempts = Attempts()
            async with attempts.connected(server, service) as nc:
                subscription = await nc.jetstream().pull_subscribe_bind(consumer.name, consumer.stream.name)
                await nc.jetstream().publish(subject, b"{}")
                (message,) = await subscription.fetch(1, timeout=10)
                await message.in_progress()
                await message.ack()
                await nc.flush()
            assert not attempts.refused

            async def is_acked(consumer: Consumer = consumer) -> bool:
                info = await admin.jetstream().consumer_info(consumer.stream.name, consumer.name)
                return info.num_ack_pending == 0 and info.delivered.consumer_seq == info.ack_floor.consumer_seq

            await until("an ack that counts", is_acked, 5)


async def test_no_service_makes_a_stream_mirror_anothers(server: Nats) -> None:
    """A stream can mirror any other, whatever its owner may read, so services may not change their own streams."""
    for service, own, other in (("notes-service", NOTE_EVENTS, RUN_EVENTS), ("agent-service", RUN_JOBS, NOTE_EVENTS)):
        attempts = Attempts()
        async with attempts.connected(server, service) as nc:
            js = nc.jetstream(timeout=0.5)
            config = (await js.stream_info(own.name)).config.evolve(sources=[StreamSource(name=other.name)])
            with pytest.raises(NatsTimeoutError):
                await js.update_stream(config)
        assert attempts.of("publish", PUBLISHED) == {f"{API}.STREAM.UPDATE.{own.name}"}
