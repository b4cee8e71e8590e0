"""Installs what `make` needs and what is missing: `set_up.py python`, `set_up.py web`, `set_up.py browser`.

Runs on a bare Python, before anything is installed. A hash of each step's inputs shows whether it is up to date, so
that a second run takes no time and a checkout of another version installs only what changed.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (whoever runs this may have any)
    sys.exit(
        f"Inkstream needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).\n"
        "Name another one: PYTHON=python3.12 make run"
    )

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from lock import stale

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / "bin"
WEB = ROOT / "web"
LOCK = ROOT / "requirements.lock"
MEMBERS = ("contracts", "servicekit", "demo-model", "gateway", "notes-service", "agent-service", "standalone")
NOT_SOURCES = {"node_modules", "dist", ".svelte-kit", "test-results"}


def say(text: str) -> None:
    print(f"set-up: {text}", flush=True)


def fail(text: str) -> NoReturn:
    sys.exit(f"set-up: {text}")


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Runs a command; if it fails, shows its output and exits."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        sys.stderr.write(done.stdout)
        fail(f"failed: {' '.join(str(part) for part in command)}")


def fingerprint(files: Iterable[Path], *more: str) -> str:
    digest = hashlib.sha256("\0".join(more).encode())
    for file in sorted(files):
        digest.update(f"\0{file.relative_to(ROOT)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


class Step:
    """A step that is done if `now`, the hash of its inputs, differs from the one stored when it was done last."""

    def __init__(self, stamp: Path, now: str) -> None:
        self.stamp = stamp
        self.now = now
        self.began = time.monotonic()

    def is_done(self) -> bool:
        return self.stamp.exists() and self.stamp.read_text() == self.now

    def done(self, what: str) -> None:
        self.stamp.write_text(self.now)
        say(f"{what} ({time.monotonic() - self.began:.0f} s)")


def set_up_python() -> None:
    """The virtual environment in `.venv`: the packages of `requirements.lock`, and this project's own, as byte
    code too. Where Python may not write that itself, every start would compile every module again.
    """
    _install_packages()
    if sys.dont_write_bytecode:  # elsewhere the first start does it
        run(BIN / "python", "-m", "compileall", "-q", *(ROOT / member / "src" for member in MEMBERS))


def _install_packages() -> None:
    step = Step(
        VENV / "set-up", fingerprint([LOCK, *(ROOT / member / "pyproject.toml" for member in MEMBERS)], sys.version)
    )
    if step.is_done():
        return
    if (VENV / "bin" / "python").exists() and _version_of(BIN / "python") != platform.python_version():
        say("another Python than last time: recreating .venv")
        shutil.rmtree(VENV)
    if not (BIN / "python").exists():
        say(f"making a virtual environment in .venv with Python {platform.python_version()}")
        _make_environment()
    uv = _uv()
    say("installing the Python packages (the first time takes a minute)")
    run(uv, "pip", "install", "-q", "--compile-bytecode", "--python", BIN / "python", "--require-hashes", "-r", LOCK)
    editable = [part for member in MEMBERS for part in ("-e", ROOT / member)]
    run(uv, "pip", "install", "-q", "--python", BIN / "python", "--no-deps", "--no-build-isolation", *editable)
    step.done("Python packages installed")
    if stale():
        say("a pyproject.toml asks for something else than the lock files say: run `make lock`")


def _make_environment() -> None:
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True)
    if made.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if shutil.which("uv"):  # Debian ships venv and ensurepip apart; uv needs neither
        run("uv", "venv", "-q", "--python", sys.executable, VENV)
        return
    without_pip = subprocess.run([sys.executable, "-m", "venv", "--without-pip", VENV], capture_output=True, text=True)
    if without_pip.returncode == 0 and _can("pip"):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    sys.stderr.write(made.stdout + made.stderr)
    fail("this Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv")


def _uv() -> Path:
    """uv of the version in the lock, installed into `.venv` by whichever pip there is; else one on PATH."""
    if (BIN / "uv").exists():
        return BIN / "uv"
    if found := shutil.which("uv"):
        return Path(found)
    say("installing uv")
    pinned = re.search(r"^uv==(?:.*\\\n)*.*", LOCK.read_text(), re.MULTILINE)
    if pinned is None:
        fail("requirements.lock does not name uv")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
        only_uv.write(pinned[0] + "\n")
        only_uv.flush()
        pip = [BIN / "python", "-m", "pip"]
        if subprocess.run([*pip, "--version"], capture_output=True).returncode:
            pip = [sys.executable, "-m", "pip", "--python", str(BIN / "python")]
        run(*pip, "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", only_uv.name)
    return BIN / "uv"


def _can(module: str) -> bool:
    return subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True).returncode == 0


def _version_of(python: Path) -> str:
    done = subprocess.run([python, "-V"], capture_output=True, text=True)
    return done.stdout.strip().removeprefix("Python ")


def set_up_page_packages() -> None:
    """The page's packages, in `web/node_modules`."""
    env, version = node()
    packages = Step(
        WEB / "node_modules" / ".set-up", fingerprint([WEB / "package.json", WEB / "package-lock.json"], version)
    )
    if not packages.is_done():
        say(f"installing the page's packages with Node {version}")
        run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=WEB, env=env)
        packages.done("page packages installed")


def set_up_web() -> None:
    """Builds the page into `web/dist`."""
    set_up_page_packages()
    env, version = node()
    build = Step(WEB / "node_modules" / ".built", fingerprint(_web_sources(), version))
    if not build.is_done() or not (WEB / "dist" / "index.html").exists():
        say("building the page")
        run("npm", "run", "build", cwd=WEB, env=env)
        build.done("page built")


def _web_sources() -> list[Path]:
    folders = [entry for entry in WEB.iterdir() if entry.name not in NOT_SOURCES]
    return [file for entry in folders for file in (entry.rglob("*") if entry.is_dir() else [entry]) if file.is_file()]


def node() -> tuple[dict[str, str], str]:
    """An environment with a recent enough `npm`, the machine's own or the one in `.venv`, and its version."""
    ours = dict(os.environ, PATH=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}")
    for env in (dict(os.environ), ours):
        node, npm = (shutil.which(name, path=env["PATH"]) for name in ("node", "npm"))
        if node and npm:
            version = subprocess.run([node, "--version"], capture_output=True, text=True, env=env).stdout.strip()
            if _builds_the_page(version):
                return env, version.removeprefix("v")
    fail(f"no Node that can build the page: {WEB / 'package.json'} asks for {_wanted_node()}")


def _wanted_node() -> str:
    return json.loads((WEB / "package.json").read_text())["engines"]["node"]


def _builds_the_page(version: str) -> bool:
    """Whether `engines` in package.json allows this version: `^20.19 || >=24`."""
    major, minor = (int(part) for part in version.removeprefix("v").split(".")[:2])
    for sign, least_major, least_minor in re.findall(r"(\^|>=)(\d+)(?:\.(\d+))?", _wanted_node()):
        least = (int(least_major), int(least_minor or 0))
        if (major, minor) >= least and (sign == ">=" or major == least[0]):
            return True
    return False


def set_up_browser() -> None:
    """A headless Chromium for the tests. Its absence is reported, but is not an error: other tests run without it."""
    done = subprocess.run([BIN / "python", ROOT / "scripts" / "chromium.py", "--install"], stdout=subprocess.DEVNULL)
    if done.returncode:
        say("the browser tests will be SKIPPED: see above")


STEPS = {
    "python": set_up_python,
    "page-packages": set_up_page_packages,
    "web": set_up_web,
    "browser": set_up_browser,
}


def main(names: list[str]) -> None:
    unknown = set(names) - STEPS.keys()
    if unknown or not names:
        fail(f"say what to set up: {', '.join(STEPS)}")
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # concurrent runs of `make` wait for each other
    for name in names:
        STEPS[name]()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        fail("interrupted; the next time it goes on from here")
