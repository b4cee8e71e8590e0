"""The measurements as text, the figures to beat beside them."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.chats import Figures


@dataclass(frozen=True)
class Target:
    """`must` and `goal` in the unit of the measurement; `least`: more is better."""

    name: str
    unit: str
    others: str
    must: float
    goal: float
    least: bool = False

    def verdict(self, value: float) -> str:
        sign = -1 if self.least else 1
        if sign * value <= sign * self.goal:
            return "ok, goal met"
        if sign * value <= sign * self.must:
            return "ok"
        return f"MISSED by {abs(value - self.must) / self.must:.0%}"


FIRST_TOKEN = Target("50 chats at once: send → first token, median", "ms", "2,024 / 452", 300, 100)
LATENCY = Target("added latency per token, p99, 50 chats", "ms", "5.2 / 31", 5, 2)
CPU = Target("CPU per 1,000 tokens, whole application", "s", "0.40 / 0.31", 0.25, 0.15)
FULL_SPEED = Target("one stream at full speed", "tokens/s", "11,000 / 4,400", 8_000, 11_000, least=True)
MEMORY = Target("idle memory, all processes", "MiB", "790 / 128", 400, 300)
WARM_START = Target("warm start to first page", "s", "10 / 1.6", 6, 4)


def compared(values: list[tuple[Target, float]]) -> str:
    """The figures to beat; in the column of the others Open WebUI 0.12.4 and Chainlit 2.12.0."""
    rows = [("figure", "others", "must", "goal", "measured", "")]
    for target, value in values:
        limit = "≥" if target.least else "≤"
        rows.append(
            (
                target.name,
                target.others,
                f"{limit} {target.must:,g}",
                f"{limit} {target.goal:,g}",
                f"{_number(value)} {target.unit}",
                target.verdict(value),
            )
        )
    return aligned(rows)


def chats(measured: list[tuple[int, Figures, Figures]]) -> str:
    """Rows of (chats, through Inkstream, read directly)."""
    head = "chats at once|first token|direct|latency p50|direct|added|latency p99|direct|added|CPU s/1,000 tokens"
    rows: list[tuple[str, ...]] = [tuple(head.split("|"))]
    rows += [
        (
            str(count),
            f"{through.first_token:.1f} ms",
            f"{direct.first_token:.1f}",
            f"{through.latency_p50:.2f} ms",
            f"{direct.latency_p50:.2f}",
            f"{through.latency_p50 - direct.latency_p50:.2f}",
            f"{through.latency_p99:.2f} ms",
            f"{direct.latency_p99:.2f}",
            f"{through.latency_p99 - direct.latency_p99:.2f}",
            f"{sum(through.cpu.values()):.3f}",
        )
        for count, through, direct in measured
    ]
    return aligned(rows)


def by_process(title: str, used: Mapping[str, float]) -> str:
    parts = ", ".join(f"{name} {_number(used[name])}" for name in sorted(used, key=lambda name: -used[name]))
    return f"{title}: {parts}; together {_number(sum(used.values()))}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])
