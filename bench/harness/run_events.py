"""Events of runs as the agent service publishes them: the bench's only code that depends on their wire format.

A run whose model stays silent is real: it has a row, a worker and a first event. The bench publishes its further events
instead of the agent, at a known rate and number, so that the gateway is measured and not the agent.
"""

import asyncio
import json
from collections.abc import Sequence

import httpx

from bench.harness.application import Application, User
from bench.harness.broker import Publisher, message
from bench.harness.model_server import SILENCE

FIRST = 2
"""The number of the first event published here: the agent has published number 1, `run`."""
SEGMENT_EVENTS = 12
"""As many as an agent gathers in a quarter of a second at 50 tokens/s."""
WAIT_SECONDS = 60.0
POLL_SECONDS, BUSY_SECONDS = 0.05, 1.0
AT_ONCE = 8


async def silent_runs(application: Application, users: Sequence[User], count: int) -> list[tuple[User, str]]:
    """Starts `count` runs, distributed among the users, that have a worker and a silent model; returns their ids."""
    return await _runs(application, users, count, SILENCE, "running")


async def waiting_runs(application: Application, users: Sequence[User], count: int) -> list[tuple[User, str]]:
    """Starts `count` runs that wait for the approval to delete a note."""
    arguments = json.dumps({"note_id": "00000000-0000-7000-8000-000000000000"})
    return await _runs(application, users, count, f"call delete_note {arguments}", "waiting")


async def _runs(
    application: Application, users: Sequence[User], count: int, text: str, status: str
) -> list[tuple[User, str]]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def start(number: int) -> tuple[User, str]:
        user = users[number % len(users)]
        async with turn:
            response = await http.post("/api/runs", json={"message": text}, headers={"Cookie": user.cookie})
        response.raise_for_status()
        return user, response.json()["run_id"]

    async with httpx.AsyncClient(base_url=application.url, timeout=WAIT_SECONDS, verify=False) as http:
        runs = await asyncio.gather(*(start(number) for number in range(count)))
        await _until(http, runs, status)
    return runs


async def cancel(application: Application, runs: Sequence[tuple[User, str]]) -> None:
    """Ends them, so that they do not affect the next measurement."""
    async with httpx.AsyncClient(base_url=application.url, timeout=WAIT_SECONDS, verify=False) as http:
        for user, run_id in runs:
            await _persistent(http, "POST", f"/api/runs/{run_id}/cancel", user)
        await _until(http, runs, "cancelled")


async def _until(http: httpx.AsyncClient, runs: Sequence[tuple[User, str]], status: str) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        for user, run_id in runs:
            while True:
                response = await _persistent(http, "GET", f"/api/runs/{run_id}", user)
                if response.json()["status"] == status:
                    break
                await asyncio.sleep(POLL_SECONDS)


async def _persistent(http: httpx.AsyncClient, method: str, path: str, user: User) -> httpx.Response:
    """Retries while the server answers 503, as after too large a crowd."""
    while True:
        response = await http.request(method, path, headers={"Cookie": user.cookie})
        if response.status_code != 503:
            response.raise_for_status()
            return response
        await asyncio.sleep(BUSY_SECONDS)


class Source:
    """Generates the events of one run, from the second on. The stream refuses what the run's own worker writes after
    them: that worker loses the run, and another one ends it."""

    def __init__(self, user_id: str, run_id: str, publisher: Publisher) -> None:
        self._live = f"user.{user_id}.live.{run_id}"
        self._log = f"log.{user_id}.{run_id}"
        self._run_id = run_id
        self._inbox = publisher.inbox
        self._number = FIRST
        self._frames: list[bytes] = []

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return self._number - 1

    def token(self, text: str) -> bytes:
        """The next event, as a publish command; with the segment of the log that it completes, if it does."""
        number, self._number = self._number, self._number + 1
        data = b'{"token":%b}' % json.dumps(text).encode()
        frame = b"1 %d token %d\n%b" % (number, len(data), data)
        self._frames.append(frame)
        told = message(self._live, frame)
        return told + self.segment() if len(self._frames) == SEGMENT_EVENTS else told

    def segment(self) -> bytes:
        """What is not in the log yet, as a publish command that the broker acknowledges once it is stored."""
        frames, self._frames = b"".join(self._frames), []
        return message(
            self._log, frames, {"Nats-Msg-Id": f"{self._run_id}.1.{self.last}"}, f"{self._inbox}.{self.last}"
        )
