"""Every file and folder that the docs name in code style exists, so that a rename has to update the docs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PACKAGES = {
    source.name: source for source in ROOT.glob("*/src/*") if source.is_dir() and (source / "__init__.py").exists()
}
FOLDERS = {folder.name for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")} - {"src"}
BUILT = ("web/node_modules", "web/dist")
NAMED = re.compile(r"`((?:[\w.-]+/)+[\w.*-]*)`")


def missing(doc: Path) -> list[str]:
    return [name for name in NAMED.findall(doc.read_text()) if not _exists(name)]


def _exists(name: str) -> bool:
    """Whether a path exists in the repository or in a package. Others, such as `user/<id>`, are not checked."""
    first, _, rest = name.partition("/")
    if name.startswith(BUILT) or (first not in PACKAGES and first not in FOLDERS):
        return True
    places = [ROOT / name] + ([PACKAGES[first] / rest] if first in PACKAGES else [])
    return any(place.exists() or ("*" in name and any(place.parent.glob(place.name))) for place in places)


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: str(doc.relative_to(ROOT)))
def test_what_the_docs_name_exists(doc: Path) -> None:
    assert missing(doc) == []


def test_a_missing_file_is_found(tmp_path: Path) -> None:
    doc = tmp_path / "doc.md"
    doc.write_text(
        "`gateway/live/hub.py`, `web/src/app/`, `gateway/live/no_such.py`, `web/src/no-such/`, `text/event-stream`"
    )
    assert missing(doc) == ["gateway/live/no_such.py", "web/src/no-such/"]
