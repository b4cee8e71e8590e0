"""The results of a row: measurements with their targets and references, and `results.json`."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal, cast

import psutil

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results.json")
DIGITS = 4


@dataclass(frozen=True)
class Target:
    """Bounds, in the unit of the measurement."""

    sign: Literal["≤", "≥", "<"]
    must: float | None
    goal: float | None = None

    def is_met(self, value: float | None, bound: float | None) -> bool | None:
        """None if there is nothing to compare."""
        if value is None or bound is None:
            return None
        match self.sign:
            case "≤":
                return value <= bound
            case "<":
                return value < bound
            case "≥":
                return value >= bound

    def text(self, bound: float | None) -> str | None:
        return None if bound is None else f"{self.sign} {bound:,g}"


@dataclass(frozen=True)
class Measurement:
    """`values`: one per round; the median counts, minimum and maximum are the spread. `beside`: additional figures,
    above all those of the references. `missing`: why there is no value.
    """

    name: str
    unit: str
    values: Sequence[float] = ()
    target: Target | None = None
    beside: Mapping[str, Any] = field(default_factory=dict[str, Any])
    missing: str | None = None

    @property
    def value(self) -> float | None:
        return median(self.values) if self.values else None

    def as_json(self) -> dict[str, Any]:
        value, target = self.value, self.target
        found: dict[str, Any] = {
            "name": self.name,
            "value": _rounded(value),
            "spread": [_rounded(min(self.values)), _rounded(max(self.values))] if self.values else None,
            "unit": self.unit,
            "target": target.text(target.must) if target else None,
            "goal": target.text(target.goal) if target else None,
            "met": target.is_met(value, target.must) if target else None,
            "goal_met": target.is_met(value, target.goal) if target else None,
            "beside": _rounded(dict(self.beside)),
        }
        return found | ({"missing": self.missing} if self.missing else {})


def ratio(
    name: str, ours: Sequence[float], reference: Sequence[float], target: Target | None = None, **beside: Any
) -> Measurement:
    """Ours divided by the reference: per round if both have as many rounds, else of the medians. `unit` in `beside` is
    that of the two figures."""
    if not ours or not reference:
        return Measurement(name, "×", target=target, beside=beside, missing="no reference was measured")
    pairs = list(zip(ours, reference, strict=True)) if len(ours) == len(reference) else []
    values = [a / b for a, b in pairs if b > 0] or [median(ours) / max(median(reference), 1e-9)]
    return Measurement(name, "×", values, target, {"ours": median(ours), "reference": median(reference)} | beside)


def _rounded(value: Any) -> Any:
    """Rounds to significant digits: more would be noise."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {str(name): _rounded(inner) for name, inner in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(inner) for inner in cast(Sequence[Any], value)]
    return value


@dataclass(frozen=True)
class RowResult:
    """`busy`: share of the machine, in percent, that other programs used just before the row; `error`: why measurements
    are missing."""

    name: str
    title: str
    measurements: Sequence[Measurement]
    seconds: float
    busy: float
    load_average: tuple[float, float]
    options: Mapping[str, Any]
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "commit": _commit(),
            "seconds": round(self.seconds, 1),
            "busy_percent_before": round(self.busy, 1),
            "load_average": [round(load, 2) for load in self.load_average],
            "options": dict(self.options),
        }
        return found | ({"error": self.error} if self.error else {})


def machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "cpu": _cpu_model(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }


def read(path: Path = RESULTS) -> dict[str, Any]:
    """The stored results; empty if there are none."""
    if not path.exists():
        return {"machine": {}, "rows": {}, "measurements": []}
    return json.loads(path.read_text())


def store(measured: RowResult, order: Sequence[str], path: Path = RESULTS) -> None:
    """Replaces the row's measurements in the file. Those of other rows stay, with their time. `order`: of the rows."""
    known = read(path)
    rows: dict[str, Any] = known["rows"] | {measured.name: measured.as_json()}
    by_row: dict[str, list[Any]] = {name: [] for name in order}
    for one in known["measurements"]:
        by_row.setdefault(one["name"].partition(".")[0], []).append(one)
    by_row[measured.name] = [one.as_json() for one in measured.measurements]
    content = {
        "machine": machine(),
        "rows": {name: rows[name] for name in by_row if name in rows},
        "measurements": [one for name in by_row for one in by_row[name]],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _commit() -> str | None:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
