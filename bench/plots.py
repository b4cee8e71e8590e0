"""The plots of `docs/performance.md`, as SVG. Imported only by `bench.report`, because it loads matplotlib."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

mpl.rcParams.update(
    {
        "svg.hashsalt": "inkstream",  # makes the file reproducible
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e5e5e5",
        "axes.axisbelow": True,
    }
)
WIDTH = 8.0
LEAST, MOST = 0.09, 22.0
"""The range of the bars of `targets`: longer bars are cut off at the edge."""
OURS, FLOOR, GOOD, BAD = "#3b6ea5", "#c9a227", "#4a8f52", "#b5483a"
PROCESSES = {
    "agent-service": "#3b6ea5",
    "gateway": "#6fa8dc",
    "nats": "#93b48b",
    "postgres": "#c98b6b",
    "notes-service": "#b39ddb",
    "supervisor": "#9e9e9e",
}
SERVERS = {"ours": OURS, "nchan": GOOD, "c": "#555555", "uvloop": FLOOR}
CHATS = ("50", "10", "1")
PEERS = {"chainlit": "Chainlit", "open_webui": "Open WebUI"}
READERS = (1, 100, 1_000)
MODES = {"burst": "several on their way", "single": "one at a time"}
LABELS = {"ours": "Inkstream", "c": "C, one write a message"}
OPERATIONS = ("create", "get", "list", "search", "patch")

Found = Mapping[str, Mapping[str, Any]]
"""Measurements by name."""


def draw(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draws the plots for which there are measurements; returns their files."""
    found: Found = {one["name"]: one for one in results["measurements"] if one["value"] is not None}
    drawn: list[Path] = []
    for name, plot in PLOTS.items():
        figure = plot(found)
        if figure is not None:
            path = folder / f"{name}.svg"
            figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
            drawn.append(path)
    return drawn


def _axes(height: float, title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=10)
    return figure, axes


def targets(found: Found) -> Figure | None:
    """Every figure with a target, as a multiple of the target: below 1 it is met, in either direction."""
    judged = [one for one in found.values() if one["target"] and one["value"]]
    if not judged:
        return None
    figure, axes = _axes(0.8 + 0.19 * len(judged), "Each figure over its must (left of the line it is met)")
    values = [min(max(_over_must(one), LEAST), MOST) for one in judged]
    colours = [GOOD if one["met"] else BAD for one in judged]
    places = range(len(judged), 0, -1)
    axes.barh(places, [value - 1 for value in values], left=1, color=colours, height=0.7)
    axes.set_yticks(list(places), [f"{one['name']}  ({one['target']} {one['unit']})" for one in judged], fontsize=7)
    axes.set_xscale("log")
    axes.set_xticks([0.1, 0.2, 0.5, 1, 2, 5, 10, 20], ["1/10", "1/5", "1/2", "must", "2 ×", "5 ×", "10 ×", "20 ×"])
    axes.set_xlim(LEAST, MOST)
    axes.set_ylim(0.3, len(judged) + 0.7)
    axes.minorticks_off()
    axes.axvline(1, color="black", linewidth=0.8)
    return figure


def _over_must(one: Mapping[str, Any]) -> float:
    sign, _, bound = one["target"].partition(" ")
    must, value = float(bound.replace(",", "")), max(float(one["value"]), 1e-3)
    return must / value if sign == "≥" else value / must


def chats(found: Found) -> Figure | None:
    """CPU of a thousand tokens by process, next to the floor and the measured peers."""
    measured = [(count, one) for count in CHATS if (one := found.get("chats.cpu" + _last(count)))]
    if not measured:
        return None
    figure, axes = _axes(0.9 + 0.75 * len(measured), "CPU seconds per 1,000 tokens")
    place, ticks = 0.0, dict[float, str]()
    for count, one in measured:
        left = 0.0
        for name, colour in PROCESSES.items():
            seconds = one["beside"]["by_process"].get(name, 0.0)
            axes.barh(
                place, seconds, left=left, color=colour, height=0.8, label=name if count == measured[0][0] else None
            )
            left += seconds
        ticks[place] = f"{count} chat" + "s" * (count != "1")
        others = {"floor": one["beside"]["floor"]}
        others |= {
            title: peer["beside"]["reference"] for name, title in PEERS.items() if (peer := _peer(found, name, count))
        }
        for name, seconds in others.items():
            place -= 1
            axes.barh(place, seconds, color=FLOOR, height=0.8)
            ticks[place] = name
        place -= 1.5
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.legend(fontsize=7, frameon=False)
    return figure


def _peer(found: Found, name: str, count: str) -> Mapping[str, Any] | None:
    one = found.get(f"peers.{name}_cpu{_last(count)}")
    return one if one and "reference" in one["beside"] else None


def _last(count: str) -> str:
    return "" if count == "50" else f"_{count}"


def first_token(found: Found) -> Figure | None:
    measured = {count: one for count in CHATS if (one := found.get("chats.first_token" + _last(count)))}
    if not measured:
        return None
    figure, axes = _axes(2.2, "Send → first token, ms")
    bars = {"Inkstream": [one["value"] for one in measured.values()]}
    for name in next(iter(measured.values()))["beside"]:
        bars[name.replace("_", " ")] = [one["beside"][name] for one in measured.values()]
    _grouped(axes, [f"{count} at once" for count in measured], bars)
    axes.set_yscale("log")
    return figure


def fanout(found: Found) -> Figure | None:
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    panels: Sequence[Axes] = figure.subplots(2, 1)
    for axes, (mode, title) in zip(panels, MODES.items(), strict=True):
        measured = {
            f"{kind.upper()} to {readers:,}": one["beside"]
            for kind in ("sse", "ws")
            for readers in READERS
            if (one := found.get(f"fanout.{kind}_{readers}_{mode}"))
        }
        if not measured:
            return None
        servers = [server for server in SERVERS if any(server in beside for beside in measured.values())]
        bars = {server: [beside.get(server, 0) / 1000 for beside in measured.values()] for server in servers}
        _grouped(axes, list(measured), bars, SERVERS)
        axes.set_title(f"Thousands of deliveries per CPU-second, {title}", loc="left", fontsize=10)
    return figure


def resume(found: Found) -> Figure | None:
    points = sorted(
        (int(name.removeprefix("resume.ratio_")), one["beside"])
        for name, one in found.items()
        if name.startswith("resume.ratio_")
    )
    if not points:
        return None
    figure, axes = _axes(2.4, "From the connection to the last event, ms")
    counts = [count for count, _ in points]
    axes.plot(counts, [beside["ours"] for _, beside in points], "o-", color=OURS, label="Inkstream")
    axes.plot(counts, [beside["reference"] for _, beside in points], "o-", color=FLOOR, label="one ordered consumer")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(counts, [f"{count:,} behind" for count in counts])
    axes.minorticks_off()
    axes.legend(fontsize=8, frameon=False)
    return figure


def notes(found: Found) -> Figure | None:
    measured = {name: one["beside"] for name in OPERATIONS if (one := found.get(f"notes.{name}_ratio"))}
    if not measured:
        return None
    figure, axes = _axes(2.2, "Requests a second of eight clients")
    bars = {
        "Inkstream": [beside["ours"] for beside in measured.values()],
        "one FastAPI process with asyncpg": [beside["reference"] for beside in measured.values()],
    }
    _grouped(axes, list(measured), bars)
    return figure


def _grouped(
    axes: Axes, groups: Sequence[str], bars: Mapping[str, Sequence[float]], colours: Mapping[str, str] | None = None
) -> None:
    """A grouped bar chart: in each group one bar per series."""
    usual = dict(zip(bars, (OURS, FLOOR, "#8a8a8a", "#93b48b"), strict=False))
    width = 0.8 / len(bars)
    for number, (name, values) in enumerate(bars.items()):
        places = [group + (number - (len(bars) - 1) / 2) * width for group in range(len(groups))]
        axes.bar(places, values, width, label=LABELS.get(name, name), color=(colours or usual)[name])
    axes.set_xticks(range(len(groups)), groups)
    axes.grid(axis="x", visible=False)
    axes.legend(fontsize=8, frameon=False)


PLOTS: Mapping[str, Callable[[Found], Figure | None]] = {
    "targets": targets,
    "chats": chats,
    "first_token": first_token,
    "resume": resume,
    "notes": notes,
    "fanout": fanout,
}
