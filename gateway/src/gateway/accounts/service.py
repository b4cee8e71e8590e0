"""Registration, sign-in and sign-out, and the session that a token belongs to."""

import hashlib
import re
import secrets
from datetime import timedelta
from typing import NamedTuple

from nats.aio.client import Client as NatsClient
from nats.errors import Error as NatsError

from contracts import subjects
from contracts.errors import InvalidCredentials, NotFound, RateLimited, SignUpClosed, UsernameTaken
from contracts.ids import new_id
from gateway.accounts import security_log
from gateway.accounts.devices import Devices
from gateway.accounts.models import (
    USERNAME_PATTERN,
    Instance,
    Session,
    SessionsChanged,
    SignedInDevice,
    User,
)
from gateway.accounts.passwords import Passwords
from gateway.accounts.rate_limits import RateLimits
from gateway.accounts.repository import AccountRepository, StoredUser
from gateway.accounts.session_cache import SessionCache
from gateway.addresses import source
from gateway.settings import SignUp

TOKEN_BYTES = 32
SESSIONS_PER_USER = 100
"""The ones used last; older ones end."""


class Client(NamedTuple):
    """Who asks: the address, the device cookie that the client has, if any, and what it calls itself."""

    address: str
    device_cookie: str = ""
    user_agent: str = ""


class AccountService:
    def __init__(
        self,
        accounts: AccountRepository,
        cache: SessionCache,
        *,
        limits: RateLimits,
        devices: Devices,
        nc: NatsClient,
        lifetime: timedelta,
        sign_up: SignUp,
    ) -> None:
        self._accounts = accounts
        self._cache = cache
        self._limits = limits
        self._devices = devices
        self._nc = nc
        self._passwords = Passwords()
        self._sign_up: SignUp = sign_up
        self.lifetime = lifetime

    async def instance(self) -> Instance:
        return Instance(name="Inkstream", sign_up=self._sign_up, has_accounts=await self._accounts.has_users())

    async def register(self, username: str, password: str, client: Client) -> Session:
        """Raises `SignUpClosed`, `UsernameTaken`, which ignores case, and `RateLimited`."""
        is_closed = self._sign_up == "closed"
        if is_closed and await self._accounts.has_users():
            security_log.registration_refused(client.address, "sign_up_closed")
            raise SignUpClosed
        try:
            await self._limits.count(self._limits.of_registration(client.address))
        except RateLimited:
            security_log.registration_refused(client.address, "rate_limited")
            raise
        if await self._accounts.is_taken(username):  # before the costly hash; the unique index decides
            raise UsernameTaken
        user = User(id=new_id(), username=username)
        password_hash = await self._passwords.hash(password, source(client.address))
        await self._accounts.add_user(user, password_hash, only_as_first=is_closed)
        security_log.registered(client.address, username)
        return await self._begin(user, client.user_agent)

    async def sign_in(self, username: str, password: str, client: Client) -> Session:
        """Raises `InvalidCredentials` and `RateLimited`."""
        device_id = self._devices.known(client.device_cookie, username)
        delays = (
            self._limits.of_known_device(device_id) if device_id else self._limits.of_sign_in(username, client.address)
        )
        try:
            await self._limits.count(delays)
        except RateLimited:
            security_log.sign_in_refused(client.address, None, "rate_limited")
            raise
        stored = await self._accounts.user_named(username) if re.fullmatch(USERNAME_PATTERN, username) else None
        try:
            user = await self._verified(stored, password, device_id or source(client.address))
        except InvalidCredentials:
            security_log.sign_in_refused(client.address, stored and stored.user.username, "credentials")
            raise
        await self._limits.forgive(delays)
        security_log.signed_in(client.address, user.username, known_device=device_id is not None)
        return await self._begin(user, client.user_agent)

    def remember_device(self, user: User, cookie: str) -> str:
        """The device cookie of a client on which `user` has signed in; `cookie` is the one it had."""
        return self._devices.remember(cookie, user.username)

    async def sign_out(self, session: Session) -> None:
        await self._accounts.end_session(session.user.id, session.id)
        await self._publish(SessionsChanged(ended=[session.id]))

    async def devices(self, session: Session) -> list[SignedInDevice]:
        """The sessions of the user of `session`."""
        listed = await self._accounts.sessions(session.user.id, self.lifetime)
        return [SignedInDevice(**one._asdict(), is_current=one.id == session.id) for one in listed]

    async def end_session(self, user: User, session_id: str) -> None:
        """Raises `NotFound` where it is none of the user's."""
        if not await self._accounts.end_session(user.id, session_id):
            raise NotFound
        await self._publish(SessionsChanged(ended=[session_id]))

    async def end_other_sessions(self, session: Session) -> None:
        ended = await self._accounts.end_sessions(session.user.id, keep=session.id)
        await self._publish(SessionsChanged(ended=ended))

    async def change_password(self, session: Session, current: str, new: str, address: str) -> Session:
        """The user's other sessions end, and this one goes on under another token, in the session that is returned.
        Only wrong passwords of this session delay it, nobody else's. Raises `InvalidCredentials` and `RateLimited`."""
        user, delays = session.user, self._limits.of_password_change(session.id)
        try:
            await self._limits.count(delays)
            await self._verified(await self._accounts.user(user.id), current, user.id)
        except (RateLimited, InvalidCredentials) as error:
            reason = "credentials" if isinstance(error, InvalidCredentials) else "rate_limited"
            security_log.password_change_refused(address, user.username, reason)
            raise
        await self._limits.forgive(delays)
        await self._accounts.set_password(user.id, await self._passwords.hash(new, user.id))
        changed = session._replace(token=secrets.token_urlsafe(TOKEN_BYTES))
        await self._accounts.replace_token(session.id, _hash(changed.token), self.lifetime)
        ended = await self._accounts.end_sessions(user.id, keep=session.id)
        security_log.password_changed(address, user.username)
        await self._publish(SessionsChanged(ended=ended, replaced=[session.id]))
        return changed

    async def session(self, token: str) -> Session | None:
        """The session of a token, or None. Using a session renews it."""
        token_hash = _hash(token)
        stored = self._cache.get(token_hash) if self._nc.is_connected else None
        if stored is None:
            generation = self._cache.generation
            stored = await self._accounts.session(token_hash, self.lifetime)
            if stored is None:
                return None
            if stored.ageing:
                await self._accounts.renew_session(token_hash, self.lifetime)
            else:
                self._cache.put(token_hash, stored, generation)
        return Session(stored.id, token, stored.user, renewed=stored.ageing)

    async def _verified(self, stored: StoredUser | None, password: str, caller: str) -> User:
        if not await self._passwords.matches(password, stored.password_hash if stored else None, caller):
            raise InvalidCredentials
        assert stored is not None
        if self._passwords.is_outdated(stored.password_hash):
            await self._accounts.set_password(stored.user.id, await self._passwords.hash(password, caller))
        return stored.user

    async def _begin(self, user: User, user_agent: str) -> Session:
        session = Session(new_id(), secrets.token_urlsafe(TOKEN_BYTES), user)
        await self._accounts.add_session(_hash(session.token), session.id, user.id, self.lifetime, user_agent)
        ended = await self._accounts.end_oldest_sessions(user.id, SESSIONS_PER_USER)
        if ended:
            await self._publish(SessionsChanged(ended=ended))
        return session

    async def _publish(self, changed: SessionsChanged) -> None:
        """Makes every gateway forget the tokens and end the streams and WebSockets at once. A gateway that misses this
        does so a little later: see `SessionCache` and `OpenSessions`."""
        self._cache.drop(changed.all)
        if not self._nc.is_connected:
            return
        try:
            await self._nc.publish(subjects.SESSIONS_CHANGED, changed.model_dump_json().encode())
        except NatsError:
            return


def _hash(token: str) -> bytes:
    """SHA-256 without salt is enough: a token has 256 random bits, so that it cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()
