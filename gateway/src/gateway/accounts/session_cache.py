"""Sessions that were looked up a moment ago, so that not every request costs a statement.

Invariant: nobody finds a session here that had ended before, once its gateway knows. The gateway that ends a session
drops it here after the database and before it answers; the others hear of it and do the same. What was read before that
moment and arrives after it is not taken: every drop begins a new generation, and a session is put under the generation
in which its reading began. A message to the others may be lost with the connection to the broker: then all is dropped,
and while there is none, nothing is found. An entry lasts for `KEPT_SECONDS` in any case.
"""

import time
from collections.abc import Iterable

from gateway.accounts.repository import StoredSession

KEPT_SECONDS = 10.0
MAX_KEPT = 20_000


class SessionCache:
    def __init__(self) -> None:
        self.generation = 0
        self._by_token: dict[bytes, tuple[float, StoredSession]] = {}
        self._tokens: dict[str, bytes] = {}  # by session id

    def get(self, token_hash: bytes) -> StoredSession | None:
        kept = self._by_token.get(token_hash)
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def put(self, token_hash: bytes, session: StoredSession, generation: int) -> None:
        """`generation`: the one in which the session's reading began."""
        if generation != self.generation:
            return
        if len(self._by_token) >= MAX_KEPT:
            self.clear()
        self._by_token[token_hash] = (time.monotonic() + KEPT_SECONDS, session)
        self._tokens[session.id] = token_hash

    def drop(self, session_ids: Iterable[str]) -> None:
        self.generation += 1
        for session_id in session_ids:
            if (token_hash := self._tokens.pop(session_id, None)) is not None:
                self._by_token.pop(token_hash, None)

    def clear(self) -> None:
        self.generation += 1
        self._by_token.clear()
        self._tokens.clear()
