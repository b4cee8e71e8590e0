"""`make run`: starts everything, says where it is, and stops it on Ctrl-C or SIGTERM. A second Ctrl-C kills."""

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


async def main() -> None:
    began = time.monotonic()
    settings = Settings.read(os.environ, ROOT / ".env", Path.cwd())
    stopper = Stopper()
    serving = asyncio.create_task(_serve(settings, stopper, began))
    stopping = asyncio.create_task(stopper.requested.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        serving.cancel()
    stopping.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    say("Inkstream has stopped.")


async def _serve(settings: Settings, stopper: Stopper, began: float) -> None:
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
    ) as system:
        say(f"\n  Inkstream is ready after {time.monotonic() - began:.1f} s: {' '.join(system.urls)}")
        say(f"  {await _who_answers(system.nats)}")
        say("  Ctrl-C stops it.\n")
        await asyncio.Event().wait()


async def _who_answers(nats: Nats) -> str:
    """Asked in a process of its own: a NATS client would stay in this one's memory for good."""
    asking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "standalone.model"),
        env=os.environ | {"NATS_URL": nats.url("admin")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await asking.communicate()
    *_, answer = said.decode().splitlines() or [""]  # the lines before are its log
    return answer if asking.returncode == 0 else "Which model answers could not be told."


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except CannotStart as error:
        sys.stderr.write(f"Inkstream cannot start: {error}\n")
        sys.exit(1)
