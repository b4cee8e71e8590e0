"""Virtual environments for the peers: one each, in a cache folder outside the repository, created once."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.harness.child import ROOT

INSTALL_SECONDS = 3600.0


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "inkstream-bench"


async def environment(name: str, packages: Sequence[str]) -> Path:
    """The folder with the programs of an environment with these packages. Bytecode is compiled during the installation,
    because it would be compiled at every start otherwise. Raises `RuntimeError` if the installation fails."""
    folder = cache_folder() / name
    installed = folder / "installed"
    wanted = "\n".join(packages)
    if not installed.exists() or installed.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        uv = ROOT / ".venv" / "bin" / "uv"
        await _run(uv, "venv", "--clear", "--python", sys.executable, folder / "venv")
        python = folder / "venv" / "bin" / "python"
        await _run(uv, "pip", "install", "--compile-bytecode", "--python", python, *packages)
        installed.write_text(wanted)
    return folder / "venv" / "bin"


async def _run(*command: str | Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(INSTALL_SECONDS):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed: {output.decode(errors='replace')[-1000:]}")
