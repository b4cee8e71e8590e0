"""One tab's WebSocket: the user's note changes and signals, in order, within bounds, written to the connection
directly."""

from datetime import UTC, datetime
from typing import Any

import orjson

from contracts.actor import Actor
from gateway.accounts.models import Session
from gateway.direct_connection import DirectConnection
from gateway.live.note_feed import NoteFeed
from gateway.live.services import LiveServices
from gateway.live.user_message import UserMessage, text_frame
from servicekit.background import report

NOT_SIGNED_IN, FOREIGN_ORIGIN, TOO_SLOW, TRY_AGAIN_LATER, INTERNAL_ERROR = 4401, 4403, 4408, 1013, 1011
LOOP = "websocket"
MAX_BEHIND = 256 * 1024
"""Bytes that may wait for a client; past this it is closed, to come back with `since`."""
PONG = text_frame(orjson.dumps({"type": "pong"}))
RESYNC = text_frame(orjson.dumps({"type": "resync"}))


class Socket:
    """The listener for one accepted WebSocket. Call `open` once; it ends with its connection or its session."""

    __slots__ = ("_code", "_connection", "_early", "_feed", "_is_over", "_live", "_session_id", "_user_id")

    def __init__(self, live: LiveServices, session: Session) -> None:
        self._live = live
        self._session_id = session.id
        self._user_id = session.user.id
        self._connection: DirectConnection | None = None
        self._early: list[bytes] = []
        """Frames from before the connection was taken over."""
        self._code: int | None = None
        """With which it was to be closed before the connection was taken over."""
        self._is_over = False
        sources = live.sources
        actor = Actor(kind="user", user_id=self._user_id)
        self._feed = NoteFeed(sources.nc, sources.loops, actor, self._send, self._send_resync)

    async def open(self, connection: DirectConnection, since: int | None) -> bool:
        """Joins the user's messages and takes the connection over. `since`: the cursor of the last note change that the
        client has. False where the client has left. Raises `ServiceUnavailable`, with the connection as it was."""
        self._live.sessions.add(self._session_id, self.sign_out)
        try:
            cursor, lost = await self._join(since)
        except BaseException:
            self._leave()
            raise
        early, self._early = self._early, []
        if not connection.take_over(self):
            self._leave()
            return False
        self._connection = connection
        if self._code is not None:
            self._end(self._code)
            return True
        self._send(_hello(cursor))
        if lost:
            self._send_resync()
        for frame in early:
            self._send(frame)
        self._feed.start()
        return True

    async def _join(self, since: int | None) -> tuple[int, bool]:
        hub = self._live.sources.hub
        await hub.join_user(self._user_id, self)
        newest = await hub.newest_change(self._user_id, self._feed.newest)
        return self._feed.prepare(since, newest)

    def on_message(self, message: UserMessage) -> None:
        if message.cursor is None:
            self._send(message.frame)
        else:
            self._feed.on_change(message)

    def on_reconnect(self) -> None:
        self._feed.catch_up()

    def sign_out(self) -> None:
        self._end(NOT_SIGNED_IN)

    def received(self, text: str) -> None:
        loops = self._live.sources.loops
        try:
            self._answer(text)
        except Exception as error:  # a bug
            report(LOOP, error, loops)
            self._end(INTERNAL_ERROR)
        else:
            loops.succeeded(LOOP)

    def _answer(self, text: str) -> None:
        if _is_ping(text):
            self._send(PONG)

    def drained(self) -> None:
        """What a client may have waiting is looked at with each message."""

    def lost(self) -> None:
        self._release()

    def _send(self, frame: bytes) -> None:
        connection = self._connection
        if connection is None:
            if not self._is_over:
                self._early.append(frame)
        elif connection.buffered > MAX_BEHIND:
            self._end(TOO_SLOW)
        else:
            connection.write(frame)

    def _send_resync(self) -> None:
        self._send(RESYNC)

    def _end(self, code: int) -> None:
        if (connection := self._connection) is not None:
            self._release()
            connection.end(code)
        elif not self._is_over:
            self._code = code

    def _release(self) -> None:
        if self._connection is not None:
            self._connection = None
            self._live.sockets.leave(self._user_id)
            self._leave()

    def _leave(self) -> None:
        self._is_over = True
        self._live.sessions.discard(self._session_id, self.sign_out)
        self._live.sources.hub.leave_user(self._user_id, self)
        self._feed.close()


def _hello(cursor: int) -> bytes:
    return text_frame(orjson.dumps({"type": "hello", "cursor": cursor, "server_time": datetime.now(UTC).isoformat()}))


def _is_ping(text: str) -> bool:
    try:
        message: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(message, dict) and message.get("type") == "ping"  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
