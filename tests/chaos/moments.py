"""Moments for faults: clients report what happens to them here, and the fault injector waits for it."""

import asyncio
from typing import Literal, get_args

Moment = Literal["queued", "run", "token", "tool_call", "effect", "tool_done", "approval_required", "any"]
"""`queued`: a run was accepted. `effect`: a tool changed a note, and may not have reported it yet. `any`: now. The
others: a client saw such an event."""
MOMENTS: tuple[Moment, ...] = get_args(Moment)

LONGEST_WAIT = 5.0


class Moments:
    def __init__(self) -> None:
        self._reached = {moment: asyncio.Event() for moment in MOMENTS}

    def reached(self, name: str) -> None:
        """Called by a client that has seen the event; other names are ignored."""
        for moment, event in self._reached.items():
            if moment == name:
                event.set()

    async def next(self, moment: Moment) -> None:
        """Returns when it happens next, or after 5 s without it."""
        if moment == "any":
            return
        event = self._reached[moment]
        event.clear()
        try:
            await asyncio.wait_for(event.wait(), LONGEST_WAIT)
        except TimeoutError:
            return
