"""`make hostile`: attacks a system of its own on this machine and measures what a user has of it meanwhile. Some twenty
minutes. Ends with 1 where something was refused to the user, a response was a 5xx, or a crowd of idle connections made
anything slower than twice; the starvation matrix is printed beside its target.
"""

# ruff: noqa: T201 (tables are what it is for)

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import median

from standalone.system import System, running
from tests.conftest import DEMO
from tests.hostile import starvation
from tests.hostile.account import Account, new_account
from tests.hostile.crowd import crowded
from tests.hostile.floods import FLOODS
from tests.hostile.fuzz import fuzz
from tests.hostile.operations import OPERATIONS, prepare, timed
from tests.hostile.starvation import LEAST_SECONDS, TARGET, p99

CROWD = 2_000
ROUNDS, TIMES = 5, 50
FUZZED = 2_000
FUZZ_SECONDS = 900


async def main(only: list[str], floods: list[str], times: int) -> bool:
    """Whether everything is as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(data_dir=Path(folder), environment=DEMO, say=print) as system:
            results = [await PARTS[part](system, floods, times) for part in only]
    return all(results)


async def crowd(system: System, _floods: list[str], times: int) -> bool:
    taken: dict[str, dict[str, list[float]]] = {"quiet": {}, "crowd": {}}
    async with new_account(system.url) as user:
        await prepare(user)
        await _operate(user, {}, 1)
        for _ in range(ROUNDS):
            await _operate(user, taken["quiet"], times // ROUNDS)
            async with crowded(system.url, CROWD) as held:
                await _operate(user, taken["crowd"], times // ROUNDS)
                print(f"held {held.held.total()}: {dict(held.held)}; closed meanwhile {dict(held.closed)}", flush=True)
    print(f"\n{CROWD} idle, slow and half-open connections, in ms: median and p99 of {times}, quiet → with them")
    slow = []
    for name in OPERATIONS:
        quiet, crowded_ = p99(taken["quiet"][name]), p99(taken["crowd"][name])
        medians = median(taken["quiet"][name]) * 1000, median(taken["crowd"][name]) * 1000
        print(f"  {name:8} {medians[0]:7.1f} → {medians[1]:7.1f}  {quiet * 1000:7.1f} → {crowded_ * 1000:7.1f}")
        if crowded_ > TARGET * max(quiet, LEAST_SECONDS):
            slow.append(name)
    print(f"  beyond {TARGET:.0f} times: {', '.join(slow) or 'nothing'}\n", flush=True)
    return not slow


async def matrix(system: System, floods: list[str], times: int) -> bool:
    measured = await starvation.measure(system.url, times, floods)
    print(f"\n{measured.table('median', median)}\n\n{measured.table()}")
    print(f"beyond {TARGET:.0f} times: {', '.join(measured.beyond_target()) or 'nothing'}")
    print(f"refused to the user who works: {measured.refused}\n", flush=True)
    return measured.refused == 0


async def api(system: System, _floods: list[str], _times: int) -> bool:
    async with new_account(system.url) as account:
        operations = sum(len(path) for path in (await account.http.get("/openapi.json")).json()["paths"].values())
        examples = -(-FUZZED // operations)
        code, output = await fuzz(account, phases="coverage,fuzzing", examples=examples, seconds=FUZZ_SECONDS)
    print(output, flush=True)
    return code == 0


async def _operate(user: Account, taken: dict[str, list[float]], times: int) -> None:
    for name in OPERATIONS:
        taken.setdefault(name, []).extend([await timed(name, user) for _ in range(times)])


PARTS = {"crowd": crowd, "matrix": matrix, "api": api}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--floods", nargs="+", choices=FLOODS, default=list(FLOODS))
    parser.add_argument("--times", type=int, default=TIMES, help="how often each operation is measured")
    options = parser.parse_args()
    sys.exit(0 if asyncio.run(main(options.only, options.floods, options.times)) else 1)
