"""The starvation matrix: one user floods, another one works. Each operation's p99 beside the quiet one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, inf

import httpx

from standalone.testing import until
from tests.hostile.account import Account, new_account
from tests.hostile.floods import FLOODS, FULL, flooding
from tests.hostile.operations import OPERATIONS, prepare, timed

QUIET = "quiet"
TARGET = 2.0
LEAST_SECONDS = 0.05
"""Differences below this are the machine's, not a flood's."""
SETTLED_SECONDS, WORKED_OFF_SECONDS = 1.0, 900.0


def p99(seconds: Sequence[float]) -> float:
    """The longest, where there are fewer than a hundred."""
    return sorted(seconds)[ceil(len(seconds) * 0.99) - 1]


Figure = Callable[[Sequence[float]], float]


@dataclass
class Matrix:
    """Seconds of each operation, by the flood under which they were taken; `inf` for one that was refused."""

    cells: dict[str, dict[str, list[float]]] = field(default_factory=dict[str, dict[str, list[float]]])

    async def add(self, flood: str, user: Account, times: int) -> None:
        row = self.cells.setdefault(flood, {name: [] for name in OPERATIONS})
        for name in OPERATIONS:
            for _ in range(times):
                try:
                    row[name].append(await timed(name, user))
                except httpx.HTTPStatusError:
                    row[name].append(inf)

    @property
    def refused(self) -> int:
        return sum(seconds == inf for row in self.cells.values() for cell in row.values() for seconds in cell)

    def slowed(self, flood: str, name: str, of: Figure = p99) -> float:
        """How many times the quiet figure."""
        return of(self.cells[flood][name]) / max(of(self.cells[QUIET][name]), LEAST_SECONDS)

    def table(self, label: str = "p99", of: Figure = p99) -> str:
        rows = [[f"{label} in ms, and × quiet", *OPERATIONS]]
        for flood, row in self.cells.items():
            cells = [f"{of(row[name]) * 1000:.0f}" for name in OPERATIONS]
            if flood != QUIET:
                cells = [
                    f"{cell} ({self.slowed(flood, name, of):.1f})" for cell, name in zip(cells, OPERATIONS, strict=True)
                ]
            rows.append([flood, *cells])
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)

    def beyond_target(self) -> list[str]:
        floods = [flood for flood in self.cells if flood != QUIET]
        return [f"{name} under {flood}" for flood in floods for name in OPERATIONS if self.slowed(flood, name) > TARGET]


async def measure(url: str, times: int, floods: Sequence[str] = tuple(FLOODS)) -> Matrix:
    """Quiet and flooded by turns, so that what else the machine does meets both."""
    matrix = Matrix()
    async with new_account(url) as user:
        await prepare(user)
        await Matrix().add(QUIET, user, 1)  # what is done for the first time takes longer
        for flood in floods:
            await matrix.add(QUIET, user, max(1, times // 2))
            async with flooding(flood, url, FULL):
                await matrix.add(flood, user, times)
            await _settled(user)
    return matrix


async def _settled(user: Account) -> None:
    """What the flood left behind has been worked off: what has to wait in a queue is quick again."""

    async def is_quick() -> bool:
        try:
            return await timed("import", user) < SETTLED_SECONDS and await timed("run", user) < SETTLED_SECONDS
        except httpx.HTTPStatusError:
            return False

    await until("imports and runs without a queue", is_quick, WORKED_OFF_SECONDS)
