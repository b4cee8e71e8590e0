"""`fanout`: one event to 1, 100 and 1,000 readers over server-sent events and over WebSockets: how many deliveries a
CPU-second of the gateway makes, with several messages in flight (`burst`) and with one at a time (`single`). Beside it
nchan, a C loop with one write per message, and a bare protocol on uvloop."""

import argparse
import json
from collections.abc import Callable
from functools import partial
from statistics import median

from bench.harness import sse
from bench.harness.application import Application, User
from bench.harness.broker import Publisher, message, publisher
from bench.harness.context import Bench, Row, numbers
from bench.harness.counters import Crowd, EventCounter, FrameCounter, publish_in_turns, upgrade
from bench.harness.processes import CpuClock, Processes
from bench.harness.run_events import Source, cancel, silent_runs
from bench.reference.fanout import KINDS, Kind, references
from bench.result import Measurement, Target, ratio

MARKER = b"bench-event"
DELIVERIES = {1: 4_000, 100: 20_000, 1_000: 40_000}
"""Deliveries per round, by the number of readers."""
OUTSTANDING = {"burst": 8, "single": 1}
VS_NCHAN, VS_C = Target("≥", 0.5, 1.0), Target("≥", None, 0.8)

Rates = dict[str, dict[str, list[float]]]
"""Deliveries per CPU-second of each round, by mode, then by server."""


async def measure(bench: Bench) -> None:
    application = await bench.application()
    (user,) = await application.users(1)
    ((_, run_id),) = runs = await silent_runs(application, [user], 1)
    async with (
        publisher(application.broker) as broker,
        references(bench.folder, bench.options.nginx) as (servers, missing),
    ):
        ours = _Ours(application, user, run_id, broker)
        for kind in KINDS:
            for readers in bench.options.readers:
                rates: Rates = {mode: {} for mode in OUTSTANDING}
                crowd = await ours.crowd(kind, readers)
                await _measured(rates, "ours", crowd, ours.gateway, partial(ours.publish, kind), bench.options.rounds)
                for server in servers:
                    crowd = Crowd(server.url, FrameCounter if kind == "ws" else EventCounter, marker=MARKER)
                    await crowd.open([server.request(kind)] * readers)
                    publish = partial(server.publish, kind, _text(kind))
                    await _measured(rates, server.name, crowd, server.processes, publish, bench.options.rounds)
                bench.say(_line(kind, readers, rates))
                bench.add(*_measurements(kind, readers, rates, missing))
    await cancel(application, runs)


class _Ours:
    def __init__(self, application: Application, user: User, run_id: str, broker: Publisher) -> None:
        self.gateway = _Gateway(application.processes.root, application.processes.pid_files)
        self._application = application
        self._user = user
        self._run_id = run_id
        self._broker = broker
        self._source = Source(user.id, run_id, broker)
        self._signal = message(f"user.{user.id}.signal", _text("ws"))

    async def crowd(self, kind: Kind, readers: int) -> Crowd:
        url, cookie = self._application.url, self._user.cookie
        if kind == "ws":
            crowd = Crowd(url, FrameCounter, greets=True)
            request = upgrade(url, "/ws", cookie)
        else:
            crowd = Crowd(url, EventCounter, marker=MARKER)
            request = sse.get(url, f"/api/runs/{self._run_id}/events", cookie, str(self._source.last))
        await crowd.open([request] * readers)
        return crowd

    def publish(self, kind: Kind) -> None:
        self._broker.publish(self._signal if kind == "ws" else self._source.token(MARKER.decode()))


class _Gateway(Processes):
    """Only the gateway's processes: the broker's cost of a message is that of one reader."""

    def cpu_seconds(self) -> dict[str, float]:
        return {name: used for name, used in super().cpu_seconds().items() if name.startswith("gateway")}


def _text(kind: Kind) -> bytes:
    if kind == "sse":
        return json.dumps({"token": MARKER.decode()}).encode()
    ids = {"run_id": MARKER.decode(), "conversation_id": MARKER.decode()}
    return json.dumps({"type": "run_changed", **ids, "status": "running"}).encode()


async def _measured(
    rates: Rates, name: str, crowd: Crowd, processes: Processes, publish: Callable[[], None], rounds: int
) -> None:
    """Measures all rounds of both modes with one crowd, then closes it."""
    readers = len(crowd.readers)
    messages = max(1, DELIVERIES.get(readers, 20_000) // readers)
    try:
        await publish_in_turns(crowd, lambda _: publish(), 10, 1, readers)
        for mode, outstanding in OUTSTANDING.items():
            for _ in range(rounds):
                clock = CpuClock(processes)
                await publish_in_turns(crowd, lambda _: publish(), messages, outstanding, readers)
                rates[mode].setdefault(name, []).append(messages * readers / max(clock.total(), 1e-6))
    finally:
        crowd.close()


def _measurements(kind: Kind, readers: int, rates: Rates, missing: dict[str, str]) -> list[Measurement]:
    found: list[Measurement] = []
    for mode, by_server in rates.items():
        name = f"fanout.{kind}_{readers}_{mode}"
        medians = {server: median(values) for server, values in by_server.items()}
        found.append(Measurement(name, "deliveries per CPU s", by_server["ours"], beside=medians))
        compared = {"nchan": VS_NCHAN} | ({"c": VS_C} if mode == "burst" else {})
        for server, target in compared.items():
            if server in missing:
                found.append(Measurement(f"{name}_vs_{server}", "×", target=target, missing=missing[server]))
            else:
                found.append(ratio(f"{name}_vs_{server}", by_server["ours"], by_server[server], target))
    return found


def _line(kind: Kind, readers: int, rates: Rates) -> str:
    def rounded(mode: str) -> str:
        return ", ".join(f"{name} {median(values) / 1000:.1f}" for name, values in rates[mode].items())

    return f"{kind} to {readers:,}, thousands per CPU s: burst {rounded('burst')}; single {rounded('single')}"


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--readers", type=numbers, default=(1, 100, 1_000), metavar="N,…", help="of each message")
    parser.add_argument("--nginx", metavar="PATH", help="one with nchan's module in ../lib/nginx/modules")


ROW = Row("fanout", "One event to many readers, beside nchan, a C loop and bare uvloop", measure, 200, _options)
