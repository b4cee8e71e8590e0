"""No name of a module or class contains a synonym that the last column of the glossary rules out."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
PYTHON = sorted(
    path for folder in ROOT.glob("*/src") for path in folder.rglob("*.py") if "migrations" not in path.parts
)
PAGE = sorted(path for kind in ("*.ts", "*.svelte") for path in (ROOT / "web" / "src").rglob(kind))
TS_CLASS = re.compile(r"^\s*(?:export\s+)?(?:abstract\s+)?(?:class|interface)\s+(\w+)", re.MULTILINE)


def avoided() -> set[tuple[str, ...]]:
    """The synonyms in code style in the glossary's `not` column, each as its words: `in_sight` is (in, sight)."""
    rows = [line.split(" | ") for line in GLOSSARY.read_text().splitlines() if line.startswith("| **")]
    return {words(term) for row in rows for term in re.findall(r"`(\w+)`", row[-1])}


def words(name: str) -> tuple[str, ...]:
    """`ReaderTimeouts`, `reader_timeouts` and `reader-timeouts` are (reader, timeouts)."""
    return tuple(part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))


def has(name: str, term: tuple[str, ...]) -> bool:
    parts = words(name)
    return any(parts[at : at + len(term)] == term for at in range(len(parts)))


def names(path: Path) -> Iterator[str]:
    """The module's name and those of its classes."""
    yield path.name.split(".")[0]
    if path.suffix == ".py":
        yield from (node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef))
    else:
        yield from TS_CLASS.findall(path.read_text())


def offences(path: Path) -> list[str]:
    return [f"{name}: {'_'.join(term)}" for name in names(path) for term in avoided() if has(name, term)]


@pytest.mark.parametrize("path", PYTHON + PAGE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_or_class_has_a_synonym_that_is_not_used(path: Path) -> None:
    assert offences(path) == []


def test_an_offence_is_found(tmp_path: Path) -> None:
    """Checks the check: for a module's name, a Python class, and an interface of the page."""
    for name, content, found in [
        ("housekeeping.py", "", ["housekeeping: housekeeping"]),
        ("relay.py", "class _NotePieceReader: ...", ["_NotePieceReader: piece"]),
        ("relay.py", "class Replies: ...", []),
        ("relay.py", "class AskedQuestion: ...", ["AskedQuestion: asked"]),
        ("rows-in-sight.ts", "", ["rows-in-sight: in_sight"]),
        ("rows.ts", "export interface Patience {}", ["Patience: patience"]),
    ]:
        path = tmp_path / name
        path.write_text(content)
        assert sorted(offences(path)) == found


def test_there_is_something_to_check() -> None:
    assert len(PYTHON) > 150
    assert len(PAGE) > 150
    assert {("asked",), ("housekeeping",), ("in", "sight")} <= avoided()
