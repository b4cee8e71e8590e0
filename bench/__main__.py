"""`python -m bench`: measures Inkstream beside its references, row by row, and writes `bench/results.json`.

Each row measures its references in the same run, so that a slow or busy machine affects both: the ratio counts. All
load is on this machine's loopback, bounded in number and time, and all processes that are started are ended.
"""

import argparse
import asyncio
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import uvloop

from bench import report, result
from bench.harness.context import Bench, Row, bench
from bench.result import RowResult
from bench.rows import chats, fanout, full_speed, idle, notes, page, peers, relay, resume, run, scale, start

ROWS: tuple[Row, ...] = (
    start.ROW,
    run.ROW,
    chats.ROW,
    full_speed.ROW,
    resume.ROW,
    notes.ROW,
    page.ROW,
    relay.ROW,
    fanout.ROW,
    idle.ROW,
    scale.ROW,
)
PEERS = peers.ROW
"""Measured on request only: it installs several GB."""
QUIET_SECONDS = 1.0


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="ROW,…", help=f"of {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of each figure; the median counts")
    parser.add_argument("--results", type=Path, default=result.RESULTS, metavar="FILE", help="where figures are stored")
    parser.add_argument("--with-peers", action="store_true", help=f"the row {PEERS.name} as well: {PEERS.title}")
    for row in (*ROWS, PEERS):
        row.add_options(parser.add_argument_group(row.name, row.title))  # pyright: ignore[reportArgumentType]
    return parser.parse_args()


def chosen(names: str, *, with_peers: bool) -> Sequence[Row]:
    """The rows with these names, or all rows. Raises `SystemExit` for an unknown name."""
    wanted = [name for name in names.split(",") if name]
    known = {row.name: row for row in (*ROWS, PEERS)}
    if unknown := [name for name in wanted if name not in known]:
        sys.exit(f"there is no row called {', '.join(unknown)}; rows: {', '.join(known)}")
    rows = [known[name] for name in wanted] or [*ROWS]
    return [*rows, PEERS] if with_peers and PEERS not in rows else rows


async def main(given: argparse.Namespace) -> int:
    _more_files()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel, f"stopped by {number.name}")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="inkstream-bench-") as folder:
        async with bench(Path(folder), given) as shared:
            for row in chosen(given.only, with_peers=given.with_peers):
                print(f"\n{row.name}: {row.title}", flush=True)
                if row.own_application:
                    await shared.close_application()
                measured = await _measured(row, shared)
                result.store(measured, [row.name for row in (*ROWS, PEERS)], given.results)
                print(report.table(measured.measurements), flush=True)
                if measured.error:
                    failed += 1
                    print(f"  {row.name} FAILED: {measured.error}", flush=True)
                    await shared.close_application()  # whatever state it is in
    return failed


async def _measured(row: Row, shared: Bench) -> RowResult:
    busy = psutil.cpu_percent(QUIET_SECONDS)
    if busy > report.BUSY_PERCENT:
        print(f"  others use {busy:.0f} % of this machine: ratios count, not figures", flush=True)
    before, began = os.getloadavg()[0], time.monotonic()
    error = None
    limit = asyncio.timeout(row.seconds)
    try:
        async with limit:
            await row.measure(shared)
    except Exception as failure:  # the other rows are still measured; the exit code shows the failure
        error = f"not done within {row.seconds:.0f} s" if limit.expired() else f"{type(failure).__name__}: {failure}"
    seconds, load_average = time.monotonic() - began, (before, os.getloadavg()[0])
    used = {name: value for name, value in vars(shared.options).items() if name not in ("only", "results")}
    return RowResult(row.name, row.title, shared.of_row(row.name), seconds, busy, load_average, used, error)


def _more_files() -> None:
    """Raises the limit of open files to the maximum: there are thousands of connections with an end in this process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    try:
        sys.exit(min(uvloop.run(main(options())), 1))
    except asyncio.CancelledError as stopped:
        sys.exit(f"bench: {stopped}; the rows before this one are stored")
