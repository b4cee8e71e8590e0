"""The bench takes the median of its rounds, compares it with its targets, and writes only its own results."""

from pathlib import Path

import pytest

from bench import report, result
from bench.result import Measurement, RowResult, Target, ratio


def row(name: str, *measurements: Measurement) -> RowResult:
    return RowResult(name, f"Row {name}", measurements, 1.0, 0.0, (0.0, 0.0), {})


def test_a_measurement_is_the_median_of_its_rounds_with_their_spread() -> None:
    found = Measurement("chats.cpu", "s", [0.3, 0.1, 0.2], Target("≤", 0.25, 0.15), {"floor": 0.123456}).as_json()
    assert (found["value"], found["spread"]) == (0.2, [0.1, 0.3])
    assert (found["target"], found["met"]) == ("≤ 0.25", True)
    assert (found["goal"], found["goal_met"]) == ("≤ 0.15", False)
    assert found["beside"] == {"floor": 0.1235}


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        (Target("≤", 1), 1.0, True),
        (Target("<", 1), 1.0, False),
        (Target("≥", 0.6), 0.59, False),
        (Target("≥", 0.6), 0.6, True),
        (Target("≥", None, 0.8), 0.9, None),
    ],
)
def test_a_target_judges(target: Target, value: float, met: bool | None) -> None:
    assert Measurement("row.name", "×", [value], target).as_json()["met"] is met


def test_a_ratio_compares_round_by_round() -> None:
    found = ratio("row.ratio", [2.0, 9.0, 4.0], [1.0, 3.0, 4.0], Target("≤", 2), unit="s")
    assert list(found.values) == [2.0, 3.0, 1.0]
    assert found.value == 2.0
    assert found.beside == {"ours": 4.0, "reference": 3.0, "unit": "s"}


def test_a_reference_that_is_not_there_leaves_no_verdict() -> None:
    found = Measurement("fanout.x_vs_nchan", "×", target=Target("≥", 0.5), missing="nchan is not installed").as_json()
    assert (found["value"], found["met"], found["missing"]) == (None, None, "nchan is not installed")


def test_a_row_replaces_its_own_figures_and_keeps_those_of_others(tmp_path: Path) -> None:
    file, order = tmp_path / "results.json", ["run", "chats"]
    result.store(row("chats", Measurement("chats.cpu", "s", [1.0])), order, file)
    result.store(row("run", Measurement("run.cpu", "ms", [2.0])), order, file)
    result.store(row("chats", Measurement("chats.cpu", "s", [3.0])), order, file)
    stored = result.read(file)
    assert [(one["name"], one["value"]) for one in stored["measurements"]] == [("run.cpu", 2.0), ("chats.cpu", 3.0)]
    assert list(stored["rows"]) == order


def test_the_report_replaces_what_stands_between_its_marks(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    result.store(row("chats", Measurement("chats.cpu", "s", [3.0], Target("≤", 2))), ["chats"], file)
    text = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    written = report.replaced(text, report.document(result.read(file), []))
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "old" not in written
    assert "| chats.cpu | 3 s | 3–3 | ≤ 2 |  | MISSED |  |" in written
    with pytest.raises(ValueError, match="does not have"):
        report.replaced("no marks", "")
