"""A tab's WebSocket: receives every note change, and reconnects with its last cursor."""

import asyncio
from dataclasses import dataclass, field

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests.chaos.door import Door
from tests.chaos.moments import Moments

FINAL = (4401, 4403)
"""The close codes after which a tab does not reconnect."""


@dataclass
class Tab:
    """`cursors`: the changes it received, in order, over all its connections."""

    door: Door
    moments: Moments
    cursors: list[int] = field(default_factory=list[int])
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def _last(self) -> int:
        return self.cursors[-1] if self.cursors else 0

    async def listen(self) -> None:
        """Runs until cancelled."""
        while True:
            url = self.door.url()
            try:
                async with connect(
                    f"{url.replace('http', 'ws', 1)}/ws?since={self._last}",
                    additional_headers={"Cookie": self.door.cookie},
                    compression=None,
                    open_timeout=10,
                ) as socket:
                    async for message in socket:
                        self._hear(message)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                self.door.troubles.check("wrong", code not in FINAL, f"user {self.door.user_id}: closed with {code}")
            except InvalidStatus as refused:
                status = refused.response.status_code
                self.door.troubles.check("wrong", status == 503, f"user {self.door.user_id}: /ws answered {status}")
            except (OSError, InvalidHandshake, TimeoutError):
                pass  # this gateway is down
            await asyncio.sleep(self.door.rng.uniform(0.05, 0.5))

    def _hear(self, message: str | bytes) -> None:
        received = orjson.loads(message)
        if received["type"] == "note_changed":
            self._change(received)
        elif received["type"] == "resync":
            self.door.troubles.add("lost", f"user {self.door.user_id}: had to load everything again")

    def _change(self, change: dict[str, object]) -> None:
        cursor, last = int(str(change["cursor"])), self._last
        if cursor <= last:
            self.door.troubles.add("repeated", f"user {self.door.user_id}: change {cursor} after {last}")
            return
        self.door.troubles.check("lost", cursor == last + 1, f"user {self.door.user_id}: change {cursor} after {last}")
        self.cursors.append(cursor)
        self._moved.set()
        if isinstance(actor := change["actor"], dict) and actor["kind"] == "agent":
            self.moments.reached("effect")

    async def reaches(self, cursor: int, seconds: float) -> bool:
        """Whether it receives this change in time."""
        try:
            async with asyncio.timeout(seconds):
                while self._last < cursor:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True
