"""`resume`: from the connection to the last event, for a client that is 100, 5,000 and 20,000 events behind. Beside it
one ordered consumer of JetStream, which reads as many messages of the same size from a stream of its own. And 100
clients at once, each 5,000 events behind, with an answer that nobody has read so far.
"""

import argparse
import asyncio
import time
from statistics import median

import nats
from nats.js.api import ConsumerConfig, DeliverPolicy, StorageType, StreamConfig

from bench.harness import sse
from bench.harness.application import Application, User
from bench.harness.broker import Address, Publisher, message, publisher
from bench.harness.context import Bench, Row, numbers
from bench.harness.processes import CpuClock
from bench.harness.run_events import FIRST, Source, cancel, silent_runs
from bench.result import Measurement, Target, ratio

STREAM, SUBJECT = "BENCH_RESUME", "bench.resume"
TEXT = " some words"
IN_FLIGHT = 500
CROWD_EVENTS = 5_000
CROWD_SECONDS = 40.0
TARGETS = {100: Target("≤", 0.5), 5_000: Target("≤", 1.1), 20_000: Target("≤", 1.1)}
CROWD = Target("≤", 3)


async def measure(bench: Bench) -> None:
    behind: tuple[int, ...] = bench.options.behind
    application = await bench.application()
    users = await application.users(1)
    runs = await silent_runs(application, users, 2)
    (user, run_id), (_, crowd_run) = runs
    async with publisher(application.broker) as broker:
        await _publish(broker, Source(user.id, run_id, broker), max(behind))
        await _publish(broker, Source(user.id, crowd_run, broker), CROWD_EVENTS)
        await _fill_stream(application.broker, broker, max(behind))
        for count in behind:
            ours: list[float] = []
            theirs: list[float] = []
            for _ in range(bench.options.rounds + 1):
                ours.append(await _resumed(application, user, run_id, max(behind), count))
                theirs.append(await _consumed(application.broker, max(behind), count))
            ours, theirs = ours[1:], theirs[1:]  # the first is a warm-up: it opens connections that the others reuse
            bench.say(f"{count:,} events: {median(ours):.1f} ms (ordered consumer {median(theirs):.1f})")
            bench.add(ratio(f"resume.ratio_{count}", ours, theirs, TARGETS.get(count), unit="ms"))
        crowd = await _crowd(bench, application, user, crowd_run)
        bench.add(crowd)
    if crowd.beside["complete"] < crowd.beside["clients"]:
        await bench.close_application()  # it would stay busy with the crowd for minutes
    else:
        await cancel(application, runs)


async def _publish(broker: Publisher, source: Source, count: int) -> None:
    for number in range(count):
        broker.publish(source.token(f"{TEXT} {number}"))
        if number % IN_FLIGHT == IN_FLIGHT - 1:
            await broker.until_acked(broker.acks + 1)
            await broker.flush()
    broker.publish(source.segment())
    await broker.flush()


async def _resumed(application: Application, user: User, run_id: str, last: int, count: int) -> float:
    """Milliseconds from the connection to the last of `count` events."""
    began = time.perf_counter()
    after = str(FIRST + last - count - 1)
    request = sse.get(application.url, f"/api/runs/{run_id}/events", user.cookie, after)
    (stream,) = await sse.connected(application.url, [request], enough=count)
    stream.start()
    await stream.done
    return (time.perf_counter() - began) * 1000


async def _fill_stream(address: Address, broker: Publisher, count: int) -> None:
    """Fills the stream with as many messages as the run has events, of the same size."""
    connection = await nats.connect(address.url)
    await connection.jetstream().add_stream(
        StreamConfig(name=STREAM, subjects=[SUBJECT], storage=StorageType.FILE, duplicate_window=10)
    )
    for number in range(count):
        headers = {"Nats-Msg-Id": str(number), "Inkstream-Seq": str(number), "Inkstream-Event": "token"}
        data = b'{"token":"%b %d"}' % (TEXT.encode(), number)
        broker.publish(message(SUBJECT, data, headers))
        if number % IN_FLIGHT == IN_FLIGHT - 1:
            await broker.flush()
    await broker.flush()
    async with asyncio.timeout(CROWD_SECONDS):
        while (await connection.jetstream().stream_info(STREAM)).state.messages < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await connection.close()


async def _consumed(address: Address, last: int, count: int) -> float:
    """Milliseconds from the connection to the last of `count` messages, read one by one as nats-py offers it."""
    began = time.perf_counter()
    connection = await nats.connect(address.url)
    config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=last - count + 1)
    subscription = await connection.jetstream().subscribe(SUBJECT, ordered_consumer=True, config=config)
    for _ in range(count):
        await subscription.next_msg(CROWD_SECONDS)
    seconds = time.perf_counter() - began
    await subscription.unsubscribe()
    await connection.close()
    return seconds * 1000


async def _crowd(bench: Bench, application: Application, user: User, run_id: str) -> Measurement:
    """All clients at once: seconds until the last one has received everything, or the limit if that is exceeded."""
    clients: int = bench.options.crowd
    request = sse.get(application.url, f"/api/runs/{run_id}/events", user.cookie)
    streams = await sse.connected(application.url, [request] * clients, enough=CROWD_EVENTS)
    clock, began = CpuClock(application.processes), time.perf_counter()
    for stream in streams:
        stream.start()
    waiting = asyncio.gather(*(stream.done for stream in streams), return_exceptions=True)
    await asyncio.wait([asyncio.ensure_future(waiting)], timeout=CROWD_SECONDS)
    seconds = time.perf_counter() - began
    complete = sum(stream.events == CROWD_EVENTS for stream in streams)
    for stream in streams:
        stream.close()
    bench.say(f"{complete} of {clients} clients have {CROWD_EVENTS:,} events after {seconds:.1f} s")
    beside = {"clients": clients, "complete": complete, "cpu_seconds": clock.used()}
    return Measurement("resume.crowd", "s", [seconds if complete == clients else CROWD_SECONDS], CROWD, beside)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--behind", type=numbers, default=(100, 5_000, 20_000), metavar="N,…", help="events missed")
    parser.add_argument("--crowd", type=int, default=100, metavar="N", help="clients that come back at once")


ROW = Row("resume", "Resuming a stream, beside an ordered consumer", measure, 150, _options)
