"""Finds a Chromium for the browser tests and prints its path; with `--install`, gets one where there is none.

In this order: CHROMIUM_PATH, Playwright's own, one on PATH; then with `--install` Playwright's download, and as root
Debian's package. Exits with 1 and the reason when there is none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

DOWNLOAD_SECONDS = 180
PACKAGE_SECONDS = 400
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find() -> Path | None:
    """Raises `FileNotFoundError` when CHROMIUM_PATH names nothing."""
    if chosen := os.environ.get("CHROMIUM_PATH"):
        if not Path(chosen).is_file():
            raise FileNotFoundError(f"CHROMIUM_PATH is {chosen}, and there is no such file")
        return Path(chosen)
    own = _playwrights()
    if own.is_file():
        return own
    return next((Path(path) for name in NAMES if (path := shutil.which(name))), None)


def _playwrights() -> Path:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def install() -> list[str]:
    """Tries one way after the other; the reasons of those that failed."""
    reasons: list[str] = []
    download = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        download.insert(-1, "--with-deps")
    if _attempt("Playwright's Chromium", [download], DOWNLOAD_SECONDS, reasons):
        return []
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        reasons.append("Debian's package: needs root and apt-get")
        return reasons
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    packages = [[*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]]
    if _attempt("Debian's chromium", packages, PACKAGE_SECONDS, reasons):
        return []
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
            last = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
            reasons.append(f"{what}: {last}")
            return False
    return True


def main(arguments: list[str]) -> None:
    try:
        path = find()
        reasons = install() if path is None and arguments == ["--install"] else []
        path = path or find()
    except FileNotFoundError as error:
        sys.exit(str(error))
    if path is None:
        sys.exit("\n".join(["no Chromium for the browser tests: set CHROMIUM_PATH, or install one", *reasons]))
    print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
