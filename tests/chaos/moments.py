"""Moments worth a fault: what happens to the people is told here, and the one who strikes waits for it."""

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
        """Told by whoever saw it; a name that is no moment is nobody's business."""
        for moment, event in self._reached.items():
            if moment == name:
                event.set()

    async def next(self, moment: Moment) -> None:
        """Returns when it happens the next time, or after 5 s in which it did not."""
        if moment == "any":
            return
        event = self._reached[moment]
        event.clear()
        try:
            await asyncio.wait_for(event.wait(), LONGEST_WAIT)
        except TimeoutError:
            return
