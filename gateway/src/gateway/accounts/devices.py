"""Devices that somebody has signed in on before, known by a signed cookie.

Guesses from elsewhere slow down whoever comes from the same address or asks for the same name. A known device is
counted by itself, so that nobody else's guesses concern it. Its cookie authorizes nothing.
"""

import base64
import hmac
import time
from collections.abc import Iterable
from datetime import timedelta

from contracts.ids import new_id

LIFETIME = timedelta(days=400)
"""As long as browsers keep a cookie at most."""
USERS_PER_DEVICE = 5
SEPARATOR, PARTS = "~", 3
MAC_BYTES = 16


class Devices:
    """A cookie holds a token for each of the last users: `<device id>.<expiry in seconds>.<signature>`. The signature
    covers the user's name as well, so that a token is worth nothing for another name."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def known(self, cookie: str, username: str) -> str | None:
        """The id of the device, where `username` has signed in on it before."""
        return next((token.partition(".")[0] for token in _tokens(cookie) if self._belongs(token, username)), None)

    def remember(self, cookie: str, username: str) -> str:
        """The device's new cookie, after `username` has signed in on it."""
        others = [token for token in _tokens(cookie) if not self._belongs(token, username)]
        device_id = self.known(cookie, username) or new_id()
        expires = int(time.time() + LIFETIME.total_seconds())
        token = f"{device_id}.{expires}.{self._signature(device_id, expires, username)}"
        return SEPARATOR.join([token, *others][:USERS_PER_DEVICE])

    def _belongs(self, token: str, username: str) -> bool:
        device_id, expires, signature = token.split(".")
        if not expires.isdecimal() or len(expires) > len(str(2**40)) or int(expires) < time.time():
            return False
        return hmac.compare_digest(signature.encode(), self._signature(device_id, int(expires), username).encode())

    def _signature(self, device_id: str, expires: int, username: str) -> str:
        signed = f"device {device_id} {expires} {username.lower()}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, signed, "sha256")[:MAC_BYTES]).decode().rstrip("=")


def _tokens(cookie: str) -> Iterable[str]:
    tokens = cookie.split(SEPARATOR)[:USERS_PER_DEVICE]
    return [token for token in tokens if token.isascii() and token.count(".") == PARTS - 1]
