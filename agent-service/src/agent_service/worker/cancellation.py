"""Cancels a run that is being executed."""

from agents.result import RunResultStreaming

from agent_service.agent.context import RunContext


class Cancellation:
    """`requested`: the user has cancelled the run. A tool that is running finishes first."""

    def __init__(self, *, requested: bool = False) -> None:
        self.requested = requested
        self._result: RunResultStreaming | None = None
        self._context: RunContext | None = None

    def attach(self, result: RunResultStreaming, context: RunContext) -> None:
        """From now on a cancellation stops this SDK run; at once if it was requested before."""
        self._result, self._context = result, context
        if self.requested:
            self.request()

    def request(self) -> None:
        """Closes the connection to the model. Safe to repeat."""
        self.requested = True
        if self._result is not None and self._context is not None:
            # a tool may already have changed a note: its result has to be stored and published
            self._result.cancel(mode="after_turn" if self._context.tools_running else "immediate")
