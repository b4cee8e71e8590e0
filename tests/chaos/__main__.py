"""`make chaos`: every kind of process is killed many times, alone and as one of several replicas. Prints a table.

`CHAOS_KILLS` (20): how often each kind dies. `CHAOS_SEED`: another order of things. Ends by itself, with 1 where
anything was lost, repeated or stuck.
"""

# ruff: noqa: T201 (a table is what it is for)

import asyncio
import os
import random
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from standalone.system import running

from tests.chaos.faults import KINDS, schedule
from tests.chaos.storm import Outcome, storm
from tests.chaos.test_faults import LIVELY

LIMIT_SECONDS = 45 * 60.0
LAYOUTS = {"alone": 1, "of two": 2}
COLUMNS = "fault", "kills", "runs", "lost", "repeated", "stuck", "wrong", "longest pause", "slowest takeover"


@dataclass
class Row:
    fault: str
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def cells(self) -> list[str]:
        count = {kind: sum(o.troubles.count()[kind] for o in self.outcomes) for kind in _troubles()}
        takeovers = [seconds for outcome in self.outcomes for seconds in outcome.takeovers]
        return [
            self.fault,
            str(sum(len(outcome.strikes) for outcome in self.outcomes)),
            str(sum(outcome.runs for outcome in self.outcomes)),
            *(str(count[kind]) for kind in _troubles()),
            f"{max(outcome.longest_pause for outcome in self.outcomes):.1f} s",
            f"{max(takeovers):.1f} s" if takeovers else "–",
        ]


def _troubles() -> tuple[str, ...]:
    return COLUMNS[3:7]


async def main(seed: int, kills: int) -> bool:
    """Whether nothing went wrong."""
    rows = {kind: Row(kind) for kind in KINDS}
    for layout, replicas in LAYOUTS.items():
        with tempfile.TemporaryDirectory(prefix="inkstream-chaos-") as folder:
            async with running(
                data_dir=Path(folder), environment=LIVELY, agents=replicas, notes=replicas, gateways=replicas
            ) as system:
                for number, kind in enumerate(KINDS):
                    rng = random.Random(f"{seed} {layout} {kind}")
                    faults = schedule(rng, [kind], _share(kills, replicas))
                    outcome = await storm(system, seed + number, faults)
                    rows[kind].outcomes.append(outcome)
                    print(f"{kind} {layout}: {len(faults)} kills, {outcome.runs} runs", file=sys.stderr)
                    print(str(outcome.troubles) or "all well", file=sys.stderr)
    _print(list(rows.values()))
    return not any(outcome.troubles.all for row in rows.values() for outcome in row.outcomes)


def _share(kills: int, replicas: int) -> int:
    """Half of the kills in each layout; the odd one alone."""
    return kills // 2 if replicas > 1 else kills - kills // 2


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
    well = asyncio.run(
        asyncio.wait_for(
            main(int(os.environ.get("CHAOS_SEED", "1")), int(os.environ.get("CHAOS_KILLS", "20"))), LIMIT_SECONDS
        )
    )
    sys.exit(not well)
