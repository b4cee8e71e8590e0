"""`python -m bench.report`: writes the tables and plots of `docs/performance.md` from `results.json`.

The results are between two marks in that file; the text around them is written by hand.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import result
from bench.result import ROOT, Measurement

DOCUMENT = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "bench"
BEGIN, END = "<!-- bench.report: begin -->", "<!-- bench.report: end -->"
HEAD = ("measurement", "value", "spread", "must", "goal", "", "beside")
BESIDE_MAX = 4
"""How many figures are shown next to a value; the file of results has all of them."""
BUSY_PERCENT = 10.0
"""The share of the machine used by other programs before a row above which its figures are marked as of a busy machine.
"""


def table(measurements: Sequence[Measurement]) -> str:
    """The table, as text for a terminal."""
    return aligned([HEAD, *(_cells(one.as_json()) for one in measurements)])


def _cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    value = f"{number(one['value'])} {one['unit']}" if one["value"] is not None else f"– ({one['missing']})"
    spread = "–".join(map(number, one["spread"])) if one["spread"] else ""
    return one["name"], value, spread, one["target"] or "", one["goal"] or "", verdict(one), beside(one["beside"])


def verdict(one: Mapping[str, Any]) -> str:
    if one["goal_met"]:
        return "goal met"
    return {None: "", True: "met", False: "MISSED"}[one["met"]]


def beside(values: Mapping[str, Any]) -> str:
    """The additional figures, without nested ones."""
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


def document(results: Mapping[str, Any], plots: Sequence[Path]) -> str:
    """The generated part of the document, in Markdown."""
    machine = results["machine"]
    parts = [
        f"Measured on {machine['cpus']} CPUs ({machine['cpu']}), {machine['memory_gib']:g} GiB, {machine['system']}, "
        f"Python {machine['python']}.",
        *(f"![{plot.stem.replace('_', ' ')}]({plot.relative_to(DOCUMENT.parent)})" for plot in plots),
    ]
    for name, row in results["rows"].items():
        found = [one for one in results["measurements"] if one["name"].partition(".")[0] == name]
        parts += [f"### {row['title']}", _when(row), _markdown([HEAD, *map(_cells, found)])]
        if "error" in row:
            parts.append(f"The row failed: {row['error']}.")
    return "\n\n".join(parts)


def _when(row: Mapping[str, Any]) -> str:
    busy = row["busy_percent_before"]
    state = f"a machine on which others used {busy:.0f} %" if busy > BUSY_PERCENT else "a quiet machine"
    return f"`make bench ONLY={row['name']}` at {row['commit']}, {row['measured_at'][:10]}, on {state}:"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def replaced(text: str, measured: str) -> str:
    """The document with its generated part replaced. Raises `ValueError` if it has no marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{DOCUMENT} does not have {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("--results", type=Path, default=result.RESULTS, metavar="FILE")
    results = result.read(parser.parse_args().results)
    if not results["measurements"]:
        sys.exit("nothing has been measured yet: make bench")
    from bench import plots  # noqa: PLC0415 (matplotlib is loaded for this alone)

    PLOTS.mkdir(exist_ok=True)
    drawn = plots.draw(results, PLOTS)
    DOCUMENT.write_text(replaced(DOCUMENT.read_text(), document(results, drawn)))
    print(f"{DOCUMENT.relative_to(ROOT)} and {len(drawn)} plots are written")


if __name__ == "__main__":
    main()
