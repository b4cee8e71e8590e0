"""FastAPI dependencies of accounts: the user of a request, and the session cookies."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from contracts.actor import Actor
from contracts.errors import AuthRequired
from gateway.accounts.devices import LIFETIME
from gateway.accounts.models import Session
from gateway.accounts.service import AccountService, Client
from gateway.dependencies import Address

SESSION_COOKIE = "inkstream_session"
USER_COOKIE = "inkstream_user"
"""A second cookie, `<id>:<username>`, that the page may read, so that it knows the signed-in user without a request. It
authorizes nothing."""

DEVICE_COOKIE, DEVICE_COOKIE_PATH = "inkstream_device", "/api/auth"
"""Who has signed in here before. It outlives the session."""


async def _accounts(connection: HTTPConnection) -> AccountService:
    return connection.state.container.accounts


Accounts = Annotated[AccountService, Depends(_accounts)]


async def session_of(connection: HTTPConnection, accounts: AccountService) -> Session | None:
    token = connection.cookies.get(SESSION_COOKIE)
    return await accounts.session(token) if token else None


async def _signed_in_session(request: Request) -> Session:
    return request.state.session  # of `ProtectedRoute`


SignedInSession = Annotated[Session, Depends(_signed_in_session)]


async def _user(session: SignedInSession) -> Actor:
    return Actor(kind="user", user_id=session.user.id)


User = Annotated[Actor, Depends(_user)]
"""The signed-in user, as the actor of requests to the other services."""


class ProtectedRoute(APIRoute):
    """The class of routes that need a session. It is looked up before the body is read, which FastAPI does before it
    comes to the dependencies: a stranger cannot make us take a body in. The cookies of a session that was renewed are
    set in the response, whatever makes it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if not _depends_on_session(self.dependant):
            return handle

        async def authenticate_first(request: Request) -> Response:
            accounts = await _accounts(request)
            session = await session_of(request, accounts)
            if session is None:
                raise AuthRequired
            request.state.session = session
            response = await handle(request)
            if session.renewed and "set-cookie" not in response.headers:  # else it signs out, or has a new token
                set_cookies(response, session, accounts.lifetime, secure=is_secure(request))
            return response

        return authenticate_first


def _depends_on_session(dependant: Dependant) -> bool:
    return dependant.call is _signed_in_session or any(map(_depends_on_session, dependant.dependencies))


async def _signing_in(request: Request, address: Address) -> Client:
    return Client(address, request.cookies.get(DEVICE_COOKIE, ""), request.headers.get("user-agent", ""))


SigningIn = Annotated[Client, Depends(_signing_in)]


def is_secure(request: Request) -> bool:
    """Whether the browser has us over HTTPS, so that it may keep the cookies for that."""
    return request.url.scheme == "https"


def set_cookies(response: Response, session: Session, lifetime: timedelta, *, secure: bool) -> None:
    seconds, user = int(lifetime.total_seconds()), session.user
    response.set_cookie(SESSION_COOKIE, session.token, max_age=seconds, httponly=True, samesite="lax", secure=secure)
    response.set_cookie(USER_COOKIE, f"{user.id}:{user.username}", max_age=seconds, samesite="lax", secure=secure)


def set_device_cookie(response: Response, cookie: str, *, secure: bool) -> None:
    response.set_cookie(
        DEVICE_COOKIE,
        cookie,
        max_age=int(LIFETIME.total_seconds()),
        path=DEVICE_COOKIE_PATH,
        httponly=True,
        samesite="lax",
        secure=secure,
    )


def delete_cookies(response: Response) -> None:
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    response.delete_cookie(USER_COOKIE, samesite="lax")
