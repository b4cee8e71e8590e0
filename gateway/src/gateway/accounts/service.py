"""Registration, sign-in and sign-out, and the session that a token belongs to."""

import hashlib
import re
import secrets
from datetime import timedelta

import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts import subjects
from contracts.errors import InvalidCredentials, UsernameTaken
from contracts.ids import new_id
from gateway.accounts.models import SESSIONS_ENDED, USERNAME_PATTERN, Session, User
from gateway.accounts.passwords import Passwords
from gateway.accounts.rate_limits import RateLimits
from gateway.accounts.repository import AccountRepository, StoredUser

TOKEN_BYTES = 32


class AccountService:
    def __init__(self, accounts: AccountRepository, limits: RateLimits, nc: Client, lifetime: timedelta) -> None:
        self._accounts = accounts
        self._limits = limits
        self._nc = nc
        self._passwords = Passwords()
        self.lifetime = lifetime

    async def register(self, username: str, password: str, address: str) -> Session:
        """Raises `UsernameTaken`, which ignores case, and `RateLimited`."""
        await self._limits.count(self._limits.of_registration(username, address))
        if await self._accounts.is_taken(username):  # before the costly hash; the unique index decides
            raise UsernameTaken
        user = User(id=new_id(), username=username)
        await self._accounts.add_user(user, await self._passwords.hash(password))
        return await self._begin(user)

    async def sign_in(self, username: str, password: str, address: str) -> Session:
        """Raises `InvalidCredentials` and `RateLimited`."""
        limits = self._limits.of_sign_in(username, address)
        await self._limits.count(limits)
        stored = await self._accounts.user_named(username) if re.fullmatch(USERNAME_PATTERN, username) else None
        user = await self._verified(stored, password)
        await self._limits.forgive(limits)
        return await self._begin(user)

    async def sign_out(self, session: Session) -> None:
        await self._accounts.end_session(_hash(session.token))
        await self._publish_ended(session.user.id, [session.id])

    async def change_password(self, session: Session, current: str, new: str, address: str) -> None:
        """The user's other sessions end. Raises `InvalidCredentials` and `RateLimited`."""
        limits = self._limits.of_sign_in(session.user.username, address)
        await self._limits.count(limits)
        await self._verified(await self._accounts.user(session.user.id), current)
        await self._limits.forgive(limits)
        await self._accounts.set_password(session.user.id, await self._passwords.hash(new))
        ended = await self._accounts.end_other_sessions(session.user.id, session.id)
        await self._publish_ended(session.user.id, ended)

    async def session(self, token: str) -> Session | None:
        """The session of a token, or None. Using a session renews it."""
        token_hash = _hash(token)
        stored = await self._accounts.session(token_hash, self.lifetime)
        if stored is None:
            return None
        if stored.ageing:
            await self._accounts.renew_session(token_hash, self.lifetime)
        return Session(stored.id, token, stored.user, renewed=stored.ageing)

    async def _verified(self, stored: StoredUser | None, password: str) -> User:
        if not await self._passwords.matches(password, stored.password_hash if stored else None):
            raise InvalidCredentials
        assert stored is not None
        if self._passwords.is_outdated(stored.password_hash):
            await self._accounts.set_password(stored.user.id, await self._passwords.hash(password))
        return stored.user

    async def _begin(self, user: User) -> Session:
        session = Session(new_id(), secrets.token_urlsafe(TOKEN_BYTES), user)
        await self._accounts.add_session(_hash(session.token), session.id, user.id, self.lifetime)
        return session

    async def _publish_ended(self, user_id: str, session_ids: list[str]) -> None:
        """Makes every gateway end these sessions' streams and WebSockets at once. A gateway that misses the signal does
        so at its next check of its open sessions."""
        if not session_ids or not self._nc.is_connected:
            return
        try:
            signal = orjson.dumps({"type": SESSIONS_ENDED, "ids": session_ids})
            await self._nc.publish(subjects.user_signal(user_id), signal)
        except NatsError:
            return


def _hash(token: str) -> bytes:
    """SHA-256 without salt is enough: a token has 256 random bits, so that it cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()
