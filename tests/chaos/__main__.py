"""`make chaos`: every kind of process is killed many times, alone and as one of two replicas. Prints a table.

`CHAOS_KILLS` (20): how often each kind is killed. `CHAOS_SEED`: the seed of the random order. Exits with 1 if anything
was lost, repeated or stuck.
"""

# ruff: noqa: T201 (it prints a table)

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGSTOP, SIGTERM
from typing import get_args

from standalone.system import System, running
from tests.chaos.conftest import LIVELY
from tests.chaos.faults import KINDS, Fault, schedule
from tests.chaos.storm import Outcome, storm
from tests.chaos.troubles import Kind

LIMIT_SECONDS = 45 * 60.0
KINDS_OF_TROUBLE: tuple[Kind, ...] = get_args(Kind)
COLUMNS = "fault", "times", "runs", *KINDS_OF_TROUBLE, "longest pause", "slowest takeover"
TROUBLED = "troubled"
ROLLING = "rolling restart"
FROZEN = "frozen agent-service"
LEISURELY = LIVELY | {"INKSTREAM_DEMO_TOKEN_DELAY_MS": "30"}
"""A story takes longer than the grace period of a stopping worker, so that another worker has to continue it."""


@dataclass
class Row:
    fault: str
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def cells(self) -> list[str]:
        counts = [outcome.troubles.count() for outcome in self.outcomes]
        takeovers = [seconds for outcome in self.outcomes for seconds in outcome.takeovers]
        return [
            self.fault,
            str(sum(len(outcome.strikes) for outcome in self.outcomes)),
            str(sum(outcome.runs for outcome in self.outcomes)),
            *(str(sum(count[kind] for count in counts)) for kind in KINDS_OF_TROUBLE),
            f"{max(outcome.longest_pause for outcome in self.outcomes):.1f} s",
            f"{max(takeovers):.1f} s" if takeovers else "–",
        ]


async def main(seed: int, kills: int) -> bool:
    """Returns whether there were no errors."""
    rows = {name: Row(name) for name in (*(f"kill -9 {kind}" for kind in KINDS), FROZEN, ROLLING)}
    for replicas in (1, 2):
        each = kills // 2 if replicas == 2 else kills - kills // 2
        async with _system(replicas, LIVELY) as system:
            for kind in KINDS:
                faults = schedule(random.Random(f"{seed} {replicas} {kind}"), [kind], each)
                await _strike(rows[f"kill -9 {kind}"], system, seed + replicas, faults)
            freezes = [Fault("agent-service", moment, 0.0, SIGSTOP) for moment in ("token", "tool_call", "effect")]
            await _strike(rows[FROZEN], system, seed + replicas, freezes)
        async with _system(replicas, LEISURELY) as system:
            faults = [
                Fault(kind, "token", 0.0, SIGTERM, replica + 1)
                for kind in ("notes-service", "agent-service", "gateway")
                for replica in range(replicas)
            ]
            await _strike(rows[ROLLING], system, seed + replicas, faults)
    _print(list(rows.values()))
    return not any(outcome.troubles.all for row in rows.values() for outcome in row.outcomes)


@asynccontextmanager
async def _system(replicas: int, environment: dict[str, str]) -> AsyncGenerator[System]:
    folder = Path(tempfile.mkdtemp(prefix="inkstream-chaos-"))
    async with running(
        data_dir=folder, environment=environment, agents=replicas, notes=replicas, gateways=replicas
    ) as system:
        yield system
    if not (folder / TROUBLED).exists():
        shutil.rmtree(folder)


async def _strike(row: Row, system: System, seed: int, faults: Sequence[Fault]) -> None:
    """Prints errors at once, because the table comes at the end."""
    outcome = await storm(system, seed, faults)
    row.outcomes.append(outcome)
    replicas = len(system.urls)
    print(f"{row.fault}, {replicas} of each: {len(faults)} times, {outcome.runs} runs", file=sys.stderr)
    print(str(outcome.troubles) or "all well", file=sys.stderr, flush=True)
    if outcome.troubles.all:
        (system.folder.path / TROUBLED).touch()
        print(f"the logs stay in {system.folder.path / 'logs'}", file=sys.stderr, flush=True)


def _print(rows: list[Row]) -> None:
    table = [list(COLUMNS), *(row.cells() for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    for row in table:
        first, *others = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join([first, *others]))


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    well = asyncio.run(
        asyncio.wait_for(
            main(int(os.environ.get("CHAOS_SEED", "1")), int(os.environ.get("CHAOS_KILLS", "20"))), LIMIT_SECONDS
        )
    )
    sys.exit(not well)
