"""`make run`: starts everything, prints the address, and stops it on Ctrl-C or SIGTERM. A second Ctrl-C kills it.

`make dev` is `python -m standalone --dev`: the page has hot reload, and a service whose sources change is restarted.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from standalone.errors import CannotStart
from standalone.nats import Nats
from standalone.paths import ROOT
from standalone.settings import Settings
from standalone.system import System, running


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Stopper:
    """Turns signals into a request to stop, and the second one into a kill."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self._system: System | None = None
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(name, self._on_signal)

    def watch(self, system: System) -> None:
        self._system = system

    def _on_signal(self) -> None:
        if self.requested.is_set() and self._system is not None:
            say("Killing what is left.")
            self._system.kill()
        elif not self.requested.is_set():
            say("\nStopping; once more to kill.")
        self.requested.set()


async def main(development: bool) -> None:
    began = time.monotonic()
    settings = Settings.read(os.environ, ROOT / ".env", Path.cwd())
    stopper = Stopper()
    serving = asyncio.create_task(_serve(settings, stopper, began, development))
    stopping = asyncio.create_task(stopper.requested.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        serving.cancel()
    stopping.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    say("Inkstream has stopped.")


async def _serve(settings: Settings, stopper: Stopper, began: float, development: bool) -> None:
    say(f"Starting Inkstream; its data is in {settings.data_dir}")
    async with running(
        data_dir=settings.data_dir,
        host=settings.host,
        port=settings.port,
        agents=settings.agents,
        notes=settings.notes,
        gateways=settings.gateways,
        environment=settings.environment,
        say=say,
        entered=stopper.watch,
        development=development,
    ) as system:
        say(f"\n  Inkstream is ready after {time.monotonic() - began:.1f} s: {' '.join(system.urls)}")
        say(f"  {await _who_answers(system.nats)}")
        say("  Ctrl-C stops it.\n")
        if development:
            # imported here, so that `make run` uses less memory
            from standalone.development import restart_on_change, sources  # noqa: PLC0415

            await restart_on_change(system, sources(), say)
        await asyncio.Event().wait()


async def _who_answers(nats: Nats) -> str:
    """Requested in a separate process, because a NATS client would stay in this one's memory for good."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "standalone.model"),
        env=os.environ | {"NATS_URL": nats.url("admin")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    *_, answer = output.decode().splitlines() or [""]  # the lines before are its log
    return answer if process.returncode == 0 else "The model could not be determined."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m standalone", description="The whole system on this machine.")
    parser.add_argument("--dev", action="store_true", help="hot reload of the page, restart of changed services")
    try:
        asyncio.run(main(parser.parse_args().dev))
    except CannotStart as error:
        sys.stderr.write(f"Inkstream cannot start: {error}\n")
        sys.exit(1)
