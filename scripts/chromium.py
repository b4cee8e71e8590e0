"""Finds a Chromium for the browser tests and prints its path; with `--install`, installs one if there is none.

Order: CHROMIUM_PATH, Playwright's own, one on PATH; with `--install` then Playwright's download, and as root Debian's
package. Exits with 1 and the reason if there is none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

DOWNLOAD_SECONDS = 180
PACKAGE_SECONDS = 400
START_SECONDS = 30
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find() -> Path | None:
    """A Chromium that starts, or None. Raises `FileNotFoundError` if the one in CHROMIUM_PATH does not start."""
    if chosen := os.environ.get("CHROMIUM_PATH"):
        if not _starts(Path(chosen)):
            raise FileNotFoundError(f"CHROMIUM_PATH is {chosen}, and that does not start")
        return Path(chosen)
    installed = [Path(path) for name in NAMES if (path := shutil.which(name))]
    return next((path for path in (_playwrights(), *installed) if _starts(path)), None)


def _starts(chromium: Path) -> bool:
    """Whether it starts; it does not if a library that it needs is missing."""
    if not chromium.is_file():
        return False
    try:
        return subprocess.run([chromium, "--version"], capture_output=True, timeout=START_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _playwrights() -> Path:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def install() -> list[str]:
    """Tries each way of installing until a Chromium starts. Returns the reasons of those that failed."""
    reasons: list[str] = []
    may_install = os.geteuid() == 0 and shutil.which("apt-get") is not None
    playwright = [sys.executable, "-m", "playwright"]
    commands = [[*playwright, "install", "--no-shell", "chromium"]]
    if may_install:
        commands.append([*playwright, "install-deps", "chromium"])
    if _attempt("Playwright's Chromium", commands, DOWNLOAD_SECONDS, reasons):
        return reasons
    if not may_install:
        reasons.append("Debian's package: needs root and apt-get")
        return reasons
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    commands = [[*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]]
    _attempt("Debian's Chromium", commands, PACKAGE_SECONDS, reasons)
    return reasons


def _attempt(what: str, commands: list[list[str]], seconds: int, reasons: list[str]) -> bool:
    print(f"set-up: getting {what} for the browser tests", file=sys.stderr, flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in commands:
        try:
            done = subprocess.run(command, env=environment, timeout=seconds, capture_output=True, text=True)
        except subprocess.TimeoutExpired:
            reasons.append(f"{what}: not there after {seconds} s")
            return False
        if done.returncode:
            output = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            errors = [line for line in output if line.startswith(("Error", "E:"))]
            reasons.append(f"{what}: {(errors or output or ['no reason given'])[-1]}")
            return False
    if find() is None:
        reasons.append(f"{what}: installed, but it does not start")
        return False
    return True


def main(arguments: list[str]) -> None:
    reasons: list[str] = []
    try:
        path = find()
        if path is None and arguments == ["--install"]:
            reasons = install()
            path = find()
    except FileNotFoundError as error:
        sys.exit(str(error))
    if path is None:
        sys.exit("\n".join(["no Chromium for the browser tests: set CHROMIUM_PATH, or install one", *reasons]))
    print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
