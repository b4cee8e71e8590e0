"""Measurements as text: for a terminal, and as the tables of `docs/performance.md`."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.result import Measurement

HEAD = ("measurement", "value", "spread", "must", "goal", "", "beside")
BESIDE_MAX = 3
"""So many figures fit beside a value; all of them are in the file of results."""


def table(measurements: Sequence[Measurement]) -> str:
    """For a terminal."""
    return aligned([HEAD, *(_cells(one.as_json()) for one in measurements)])


def _cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    value = f"{number(one['value'])} {one['unit']}" if one["value"] is not None else f"– ({one['missing']})"
    spread = "–".join(map(number, one["spread"])) if one["spread"] else ""
    return one["name"], value, spread, one["target"] or "", one["goal"] or "", verdict(one), beside(one["beside"])


def verdict(one: Mapping[str, Any]) -> str:
    if one["met"] is None:
        return ""
    if not one["met"]:
        return "MISSED"
    return "goal met" if one["goal_met"] else "met"


def beside(values: Mapping[str, Any]) -> str:
    """The figures next to it, without those that are tables themselves."""
    plain = {name: value for name, value in values.items() if isinstance(value, (int, float))}
    figures = ", ".join(f"{name} {number(value)}" for name, value in list(plain.items())[:BESIDE_MAX])
    return f"{figures} {values['unit']}" if "unit" in values else figures


def number(value: Any) -> str:
    if not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])
