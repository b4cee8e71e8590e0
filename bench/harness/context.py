"""The context shared by the rows of the bench: options, a folder, the model server, and one running Inkstream."""

import argparse
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.harness.application import NO_LIMITS, Application, application
from bench.harness.model_server import model_server
from bench.result import Measurement


@dataclass
class Bench:
    """`folder` is empty at first and deleted at the end of the bench."""

    folder: Path
    options: argparse.Namespace
    model_url: str
    measured: dict[str, Measurement] = field(default_factory=dict[str, Measurement])
    """The measurements of this run, by name."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _application: Application | None = None

    async def application(self) -> Application:
        """The shared application: started by the first row that uses it, without limits on users and connections."""
        if self._application is None:
            started = application(self.folder / "application", self.model_url, NO_LIMITS)
            self._application = await self._stack.enter_async_context(started)
        return self._application

    async def close_application(self) -> None:
        """Ends the shared application. The next row that uses it gets a new one."""
        self._application = None
        await self._stack.aclose()

    def add(self, *measurements: Measurement) -> None:
        self.measured |= {one.name: one for one in measurements}

    def of_row(self, row: str) -> list[Measurement]:
        return [one for one in self.measured.values() if one.name.partition(".")[0] == row]

    def say(self, text: str) -> None:
        sys.stdout.write(f"  {text}\n")
        sys.stdout.flush()


@asynccontextmanager
async def bench(folder: Path, options: argparse.Namespace) -> AsyncGenerator[Bench]:
    async with model_server() as model_url:
        opened = Bench(folder, options, model_url)
        try:
            yield opened
        finally:
            await opened.close_application()


def _no_options(_: argparse.ArgumentParser) -> None:
    return


@dataclass(frozen=True)
class Row:
    """One row of the table. `measure` adds its measurements to the bench as they are made; its timeout is `seconds`.
    `own_application`: it starts its own application, so the shared one is closed first.
    """

    name: str
    title: str
    measure: Callable[[Bench], Awaitable[None]]
    seconds: float
    add_options: Callable[[argparse.ArgumentParser], None] = _no_options
    own_application: bool = False


def numbers(text: str) -> tuple[int, ...]:
    """Parses an option such as `1,10,50`."""
    return tuple(int(part) for part in text.split(","))
