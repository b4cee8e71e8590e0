"""Fails if the JavaScript that the page needs for its first view is more than 150 KB, compressed."""

import gzip
import re
import sys
from pathlib import Path

DIST = Path(__file__).resolve().parents[1] / "web" / "dist"
MOST_BYTES = 150_000
SCRIPT = re.compile(r'<(?:script[^>]* src|link rel="modulepreload"[^>]* href)="/([^"]+)"')
IMPORT = re.compile(r"""(?:^|[;}])import(?:[^"'();]*from)?["']\./([^"']+\.js)["']""")


def initial_scripts() -> list[Path]:
    """The scripts in `index.html` and their static imports; dynamic imports are not included."""
    waiting = [DIST / name for name in SCRIPT.findall((DIST / "index.html").read_text(encoding="utf-8"))]
    found: list[Path] = []
    while waiting:
        script = waiting.pop()
        if script not in found:
            found.append(script)
            waiting += [script.parent / name for name in IMPORT.findall(script.read_text(encoding="utf-8"))]
    return found


def main() -> None:
    scripts = initial_scripts()
    size = sum(len(gzip.compress(script.read_bytes(), 9)) for script in scripts)
    names = ", ".join(script.name for script in scripts)
    if size > MOST_BYTES:
        sys.exit(f"the page needs {size:,} bytes of JavaScript at once, and may need {MOST_BYTES:,}: {names}")
    print(f"{size:,} bytes of JavaScript at once: {names}")


if __name__ == "__main__":
    main()
