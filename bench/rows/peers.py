"""`peers`: alternatives under the same load: Open WebUI and Chainlit, each used as its page does.

Measured with `make bench PEERS=1` only: they are installed into a cache folder outside the repository, which takes
several GB and minutes the first time. Beside them are the figures of Inkstream from the same run of the bench.
"""

import argparse
import asyncio
from collections.abc import Sequence
from statistics import median

from bench.harness.context import Bench, Row
from bench.harness.processes import CpuClock
from bench.peers import chainlit_peer, open_webui_peer
from bench.peers.chainlit_peer import Chainlit
from bench.peers.environment import environment
from bench.peers.open_webui_peer import OpenWebUi
from bench.peers.peer import ANSWER_SECONDS, Page, Peer
from bench.result import Measurement, Target
from bench.rows import chats
from bench.rows.chats import MESSAGE, TOKENS, Crowd, direct

REST_SECONDS = 3.0
"""The pause between the connections and the messages: fifty connections keep a peer busy for more than a second."""
IDLE_SECONDS = 5.0
KNOWN: dict[str, tuple[type[Peer], str, Sequence[str]]] = {
    "open_webui": (OpenWebUi, open_webui_peer.NAME, open_webui_peer.PACKAGES),
    "chainlit": (Chainlit, chainlit_peer.NAME, chainlit_peer.PACKAGES),
}
LESS = Target("<", 1)


async def measure(bench: Bench) -> None:
    if not bench.of_row("chats"):
        bench.say("the row `chats` is measured first")
        await chats.measure(bench)
    await bench.close_application()  # one at a time
    for name in bench.options.peers:
        kind, folder, packages = KNOWN[name]
        bench.say(f"{kind.title}: installing, where it is not")
        programs = await environment(folder, packages)
        await _measured(bench, name, kind(programs, bench.folder / name, bench.model_url))


async def _measured(bench: Bench, name: str, peer: Peer) -> None:
    counts: Sequence[int] = bench.options.chats
    async with peer.running():
        pass  # the first start creates its database
    async with peer.running() as (started, seconds):
        pages = await peer.pages(max(counts))
        clock = CpuClock(started.processes)
        await _crowd(pages[:1], clock)
        await asyncio.sleep(REST_SECONDS)
        memory = sum(started.processes.memory_mib().values())
        clock.restart()
        await asyncio.sleep(IDLE_SECONDS)
        idle = clock.total() / IDLE_SECONDS * 100
        bench.say(f"{peer.title}: warm start {seconds:.1f} s, {memory:.0f} MiB, {idle:.1f} % of a core at rest")
        bench.add(
            _compared(bench, f"peers.{name}_start", "start.warm", [seconds], "s"),
            _compared(bench, f"peers.{name}_memory", "start.memory", [memory], "MiB"),
        )
        for count in counts:
            rounds: list[tuple[Crowd, int, Crowd]] = []
            for _ in range(bench.options.rounds):
                crowd, refused = await _crowd(pages[:count], clock)
                rounds.append((crowd, refused, await direct(bench.model_url, count)))
                bench.say(f"{peer.title}, {count} chats: {_line(*rounds[-1])}")
            bench.add(*_measurements(bench, name, count, rounds))


async def _crowd(pages: Sequence[Page], clock: CpuClock) -> tuple[Crowd, int]:
    """Opens all pages, then sends all messages. Also returns how many were refused."""
    await asyncio.gather(*(page.open() for page in pages))
    try:
        await asyncio.sleep(REST_SECONDS)
        clock.restart()
        answers = await asyncio.gather(*(page.send(MESSAGE) for page in pages))
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.gather(*(answer.done for answer in answers))
        cpu = clock.used()
    finally:
        await asyncio.gather(*(page.close() for page in pages))
    complete = [answer for answer in answers if len(answer.latencies) == TOKENS]
    if not complete:
        raise RuntimeError(f"no answer came as a whole; the first: {answers[0].refused}")
    latencies = sorted(latency for answer in complete for latency in answer.latencies)
    tokens = sum(len(answer.latencies) for answer in answers)
    crowd = Crowd(
        first_token=median(answer.first_token - answer.sent for answer in complete) / 1e6,
        p50=latencies[len(latencies) // 2] / 1e6,
        p99=latencies[len(latencies) * 99 // 100] / 1e6,
        cpu={name: seconds / tokens * 1000 for name, seconds in cpu.items()},
    )
    return crowd, len(answers) - len(complete)


def _measurements(bench: Bench, name: str, count: int, rounds: Sequence[tuple[Crowd, int, Crowd]]) -> list[Measurement]:
    last = "" if count == 50 else f"_{count}"
    refused = {"refused": max(refused for _, refused, _ in rounds)}
    figures = {
        "cpu": ([crowd.cpu_sum for crowd, _, _ in rounds], "CPU s per 1,000 tokens"),
        "first_token": ([crowd.first_token for crowd, _, _ in rounds], "ms"),
        "added_p99": ([crowd.p99 - directly.p99 for crowd, _, directly in rounds], "ms"),
    }
    return [
        _compared(bench, f"peers.{name}_{what}{last}", f"chats.{what}{last}", values, unit, **refused)
        for what, (values, unit) in figures.items()
    ]


def _compared(bench: Bench, name: str, ours: str, theirs: Sequence[float], unit: str, **beside: float) -> Measurement:
    """Ours divided by theirs; theirs alone if ours was not measured in this run."""
    mine = bench.measured.get(ours)
    if mine is None or mine.value is None:
        return Measurement(name, unit, theirs, beside=beside)
    values = [mine.value / one for one in theirs if one > 0]
    return Measurement(
        name, "×", values, LESS, {"ours": mine.value, "reference": median(theirs), "unit": unit} | beside
    )


def _line(crowd: Crowd, refused: int, directly: Crowd) -> str:
    return (
        f"CPU {crowd.cpu_sum:.3f} s per 1,000 tokens, first token {crowd.first_token:.0f} ms, "
        f"p99 {crowd.p99:.1f} ms (direct {directly.p99:.1f}), {refused} refused or not whole"
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - KNOWN.keys():
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
    return names


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--peers", type=_names, default=tuple(KNOWN), metavar="NAME,…", help=f"of {', '.join(KNOWN)}")


ROW = Row("peers", "What a person would use instead, on the same load", measure, 3600, _options)
