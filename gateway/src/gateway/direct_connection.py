"""Writing to a client's connection directly, without a task, a coroutine and an ASGI message for each write.

The application answers a request as always, up to the head of the response or the acceptance of a WebSocket. Then a
stream or a socket takes the connection over and the application returns, so that nothing of it stays in memory. What is
written in one turn of the event loop goes out as one system call: the transport of uvloop collects it.
"""

from collections.abc import Callable
from typing import Protocol

from starlette.types import Scope

EXTENSION = "inkstream.connection"
"""Of an ASGI scope: the `DirectConnection` of its request. Our server always provides it."""


class Owner(Protocol):
    """What has taken a connection over. No method may raise."""

    def drained(self) -> None:
        """The client has taken most of what waited for it."""
        ...

    def lost(self) -> None:
        """The connection has ended, for whatever reason but `end`. Called once."""
        ...


class SocketOwner(Owner, Protocol):
    def received(self, text: str) -> None:
        """A text message of the client."""
        ...


class DirectConnection(Protocol):
    def take_over(self, owner: Owner) -> bool:
        """From now on `owner` writes. False if the connection is lost already."""
        ...

    def write(self, data: bytes) -> None:
        """`data` in the form of the connection: chunks of a response's body, or frames of a WebSocket."""
        ...

    @property
    def buffered(self) -> int:
        """Bytes that the client has not taken yet."""
        ...

    def end(self, code: int = 1000) -> None:
        """The last thing an owner does: a response is complete, and its connection serves the next request; a WebSocket
        is closed with `code`."""
        ...

    def abort(self) -> None:
        """Drops the connection with all that waits for the client."""
        ...

    def when_released(self, callback: Callable[[], None]) -> None:
        """Calls back when the owner has ended or lost the connection; at once if nobody has taken it over."""
        ...


def connection_of(scope: Scope) -> DirectConnection:
    return scope["extensions"][EXTENSION]
