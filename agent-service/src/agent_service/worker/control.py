"""The reins of one run in work: how it is stopped from outside."""

from agents.result import RunResultStreaming

from agent_service.agent.context import RunContext


class Control:
    """`cancelled`: the user wants it stopped; what is in the middle of a tool finishes that first."""

    def __init__(self, *, cancelled: bool = False) -> None:
        self.cancelled = cancelled
        self._result: RunResultStreaming | None = None
        self._context: RunContext | None = None

    def hold(self, result: RunResultStreaming, context: RunContext) -> None:
        self._result, self._context = result, context
        if self.cancelled:
            self.cancel()

    def cancel(self) -> None:
        """Closes the connection to the model at once. Safe to repeat."""
        self.cancelled = True
        if self._result is not None and self._context is not None:
            # a tool's effect is told of truthfully: it has at most some seconds to go
            self._result.cancel(mode="after_turn" if self._context.working else "immediate")
