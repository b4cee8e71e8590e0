"""The interface that receives a response while it streams."""

from typing import Literal, Protocol

Simplification = Literal["no_tools", "request_refused"]
"""Why a request is repeated in a simpler form: the model takes no tools, or the server something else not."""


class Listener(Protocol):
    """Methods are called in the order of arrival. They must not block and must not raise."""

    def text(self, text: str) -> None:
        """The next part of the response's text; never empty."""
        ...

    def reasoning(self, text: str) -> None:
        """The next part of the model's reasoning; never empty, never part of the response."""
        ...

    def tool_call_began(self, call_id: str, name: str) -> None:
        """The model begins a call. `call_id` is ours, unique whatever the server sends."""
        ...

    def tool_args(self, call_id: str, delta: str) -> None:
        """The next part of a call's arguments as the model writes them: meant to be JSON, never empty."""
        ...

    def counted(self, input_tokens: int, output_tokens: int) -> None:
        """What the server has counted of this response by now; replaces what it said before."""
        ...

    def simplified(self, reason: Simplification) -> None:
        """The server has refused the request, and it is repeated in a simpler form."""
        ...


class SilentListener:
    """A listener for callers that need only the complete response."""

    def text(self, text: str) -> None: ...

    def reasoning(self, text: str) -> None: ...

    def tool_call_began(self, call_id: str, name: str) -> None: ...

    def tool_args(self, call_id: str, delta: str) -> None: ...

    def counted(self, input_tokens: int, output_tokens: int) -> None: ...

    def simplified(self, reason: Simplification) -> None: ...
