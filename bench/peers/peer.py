"""The common interface of peers: start, sign in, open a page, send a message."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import httpx

from bench.harness.child import Child, child
from bench.harness.sse import stamps
from standalone.ports import free_port

START_SECONDS = 300.0
ANSWER_SECONDS = 120.0


class Answer:
    """One streamed answer; nanoseconds of the monotonic clock, as in `bench.harness.sse.Stream`."""

    def __init__(self) -> None:
        self.sent = self.first_token = 0
        self.latencies: list[int] = []
        self.refused: str | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self) -> None:
        self.sent = time.monotonic_ns()

    def receive(self, event: bytes) -> None:
        now = time.monotonic_ns()
        if found := stamps(event):
            self.first_token = self.first_token or now
            self.latencies += [now - stamp for stamp in found]

    def finish(self, refused: str | None = None) -> None:
        self.refused = self.refused or refused
        if not self.done.done():
            self.done.set_result(None)


class Page(ABC):
    """One user's open page."""

    @abstractmethod
    async def open(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    async def send(self, message: str) -> Answer:
        """Sends the message in a new chat. The returned answer is still streaming."""


@dataclass
class Peer(ABC):
    """A peer that is installed in `programs` and stores its files in `folder`."""

    title: ClassVar[str]
    ready_paths: ClassVar[tuple[str, ...]]
    """The paths that its page requests first."""

    programs: Path
    folder: Path
    model_url: str
    url: str = field(init=False, default="")

    @abstractmethod
    def command(self, port: int) -> Sequence[str | Path]: ...

    @abstractmethod
    def environment(self) -> Mapping[str, str]: ...

    @abstractmethod
    async def pages(self, count: int) -> Sequence[Page]:
        """The pages of `count` users, signed in."""

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[tuple[Child, float]]:
        """Runs the peer; yields its process and the seconds from its command to its page."""
        self.prepare()
        port, began = free_port(), time.monotonic()
        environment = {"PYTHONDONTWRITEBYTECODE": "", **self.environment()}
        command = self.command(port)
        async with child(*command, environment=environment, folder=self.folder, log=self.folder / "log") as started:
            self.url = f"http://127.0.0.1:{port}"
            await self._until_ready(started)
            yield started, time.monotonic() - began

    async def _until_ready(self, started: Child) -> None:
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(base_url=self.url, timeout=10) as http:
            while started.process.returncode is None:
                with suppress(httpx.HTTPError):
                    answers = [await http.get(path) for path in self.ready_paths]
                    if all(answer.is_success for answer in answers):
                        return
                await asyncio.sleep(0.05)
        raise RuntimeError(f"{self.title} ended with {started.process.returncode}; its log: {self.folder / 'log'}")
