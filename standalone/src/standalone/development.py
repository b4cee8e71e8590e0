"""The services restart when their sources change. The page has Vite's hot reload: see `Programs.page`."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]  (an event of Trio's)

from standalone.paths import ROOT
from standalone.postgres import SCHEMAS
from standalone.system import System

DEBOUNCE_MS = 200
"""Changes within this time of each other, as an editor or a checkout makes them, cause one restart."""


def sources(root: Path = ROOT) -> dict[Path, frozenset[str]]:
    """The source folder of each workspace member that a service uses, with those services."""
    members = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    dependencies = {member: _dependencies(root / member) & set(members) for member in members}

    def closure(name: str) -> set[str]:
        return {name}.union(*(closure(other) for other in dependencies[name]))

    uses = {service: closure(service) for service in SCHEMAS}
    folders = {member: frozenset(service for service in uses if member in uses[service]) for member in members}
    return {root / member / "src": services for member, services in folders.items() if services}


async def restart_on_change(
    system: System, folders: Mapping[Path, frozenset[str]], say: Callable[[str], None], debounce_ms: int = DEBOUNCE_MS
) -> None:
    """Runs until cancelled: when a file in a folder changes, restarts the folder's services."""
    async for changes in awatch(*folders, debounce=debounce_ms, step=50):
        files = [Path(file) for _, file in changes]
        changed = [folder for folder in folders if any(file.is_relative_to(folder) for file in files)]
        services = frozenset[str]().union(*(folders[folder] for folder in changed))
        say(f"{_shown(files)} changed; restarting {', '.join(sorted(services))}")
        await system.restart(services)


def _dependencies(member: Path) -> set[str]:
    """The names of the packages that its pyproject file requires."""
    requirements: list[str] = tomllib.loads((member / "pyproject.toml").read_text())["project"]["dependencies"]
    return {re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in requirements}


def _shown(files: list[Path]) -> str:
    name = files[0].name
    return name if len(files) == 1 else f"{name} and {len(files) - 1} more"
