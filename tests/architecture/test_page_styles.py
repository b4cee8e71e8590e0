"""The page's styles name the sides by where a line starts and ends, so that right-to-left text is laid out right."""

import re
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "web" / "src"
STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
PHYSICAL = re.compile(
    r"(?<![\w.-])(?:(?:margin|padding|border|scroll-(?:margin|padding))-(?:left|right)(?:-\w+)?"
    r"|border-(?:top|bottom)-(?:left|right)-radius|left|right):|(?:text-align|float|clear)\s*:\s*(?:left|right)\b"
)
FOUR_SIDES = re.compile(r"(?<![\w-])(?:margin|padding|inset)\s*:\s*([^;{}]+);")
CENTRED = "left: 50%"
"""The middle is the same from both sides."""


def test_styles_have_no_left_and_right() -> None:
    found = [
        f"{path.relative_to(SOURCES)}: {problem}" for path in sorted(SOURCES.rglob("*")) for problem in _physical(path)
    ]
    assert not found, "\n".join(
        ["Use the logical property (inset-inline-start, padding-inline, text-align: start):", *found]
    )


def test_physical_sides_are_found(tmp_path: Path) -> None:
    style = tmp_path / "a.css"
    style.write_text(
        "a { margin-left: 1px; padding: 1px 2px 1px 3px; right: 0; text-align: left; inset: 0 auto; left: 50% }"
    )
    assert len(_physical(style)) == 4


def _physical(path: Path) -> list[str]:
    if path.suffix not in {".css", ".svelte"}:
        return []
    text = path.read_text()
    styles = text if path.suffix == ".css" else "".join(STYLE.findall(text))
    css = COMMENT.sub("", styles).replace(CENTRED, "")
    sides = [match.group() for match in FOUR_SIDES.finditer(css) if _uneven(match.group(1))]
    return [match.group() for match in PHYSICAL.finditer(css)] + sides


def _uneven(value: str) -> bool:
    """Whether a shorthand has different values for the right and the left side. Insets of the screen are physical."""
    if "env(safe-area" in value:
        return False
    parts = re.findall(r"(?:[^\s()]|\((?:[^()]|\([^()]*\))*\))+", value)
    return len(parts) == 4 and parts[1] != parts[3]
