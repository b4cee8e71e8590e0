"""Writes the lock files: `lock.py` keeps the existing pins, `lock.py --upgrade` takes current releases.

`lock.py --check` checks, offline, that they match the pyproject files. docs/adr/0001-lock-files-without-hosts.md
explains why there is no uv.lock.
"""

import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SERVICES = {
    "gateway": ("contracts", "servicekit"),
    "notes-service": ("contracts", "servicekit"),
    "agent-service": ("contracts", "servicekit", "demo-model"),
}
"""Each lock file with the workspace members that it contains."""
MEMBERS = ("contracts", "servicekit", "demo-model", *SERVICES, "standalone")
EVERYTHING = ROOT / "requirements.lock"
UV = Path(sys.executable).with_name("uv")


def _inputs(*folders: str) -> str:
    """A hash of the requirements in the pyproject files of `folders`."""
    requirements: list[object] = []
    for folder in folders:
        content = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())
        project = content["project"]
        requirements.append(
            [
                project["name"],
                project["requires-python"],
                sorted(project["dependencies"]),
                project.get("optional-dependencies"),
                content.get("dependency-groups"),
            ]
        )
    return hashlib.sha256(json.dumps(requirements, sort_keys=True).encode()).hexdigest()


def _locks() -> dict[Path, tuple[str, list[str]]]:
    """Each lock file with the hash of its inputs and the arguments for `uv pip compile`."""
    locks = {EVERYTHING: (_inputs(".", *MEMBERS), ["pyproject.toml", "--group", "dev"])}
    for service, members in SERVICES.items():
        question = [f"{service}/pyproject.toml", "--constraint", "requirements.lock"]
        locks[ROOT / service / "requirements.lock"] = (_inputs(service, *members), question)
    return locks


def _head(inputs: str) -> str:
    return f"# Made by `make lock`; do not edit. Inputs: {inputs}\n"


def write(upgrade: bool) -> None:
    for lock, (inputs, question) in _locks().items():
        command = [
            *(UV, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
            *(part for member in MEMBERS for part in ("--no-emit-package", member)),
            *(["--upgrade"] if upgrade else []),
            *("--output-file", str(lock), *question),
        ]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        lock.write_text(_head(inputs) + lock.read_text())
        print(f"{lock.relative_to(ROOT)}: {lock.read_text().count('==')} packages")


def stale() -> list[Path]:
    return [
        lock
        for lock, (inputs, _) in _locks().items()
        if not lock.exists() or not lock.read_text().startswith(_head(inputs))
    ]


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if old := stale():
            sys.exit(f"not up to date: {', '.join(str(lock.relative_to(ROOT)) for lock in old)}. Run `make lock`")
    else:
        write(upgrade=sys.argv[1:] == ["--upgrade"])
