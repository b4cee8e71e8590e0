"""FastAPI dependencies of accounts: the user of a request, and the session cookies."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.requests import HTTPConnection

from contracts.actor import Actor
from contracts.errors import AuthRequired
from gateway.accounts.models import Session
from gateway.accounts.service import AccountService

SESSION_COOKIE = "inkstream_session"
USER_COOKIE = "inkstream_user"
"""A second cookie, `<id>:<username>`, that the page may read, so that it knows the signed-in user without a request. It
authorizes nothing."""


async def _accounts(connection: HTTPConnection) -> AccountService:
    return connection.state.container.accounts


Accounts = Annotated[AccountService, Depends(_accounts)]


async def session_of(connection: HTTPConnection, accounts: AccountService) -> Session | None:
    token = connection.cookies.get(SESSION_COOKIE)
    return await accounts.session(token) if token else None


async def _signed_in_session(request: Request, response: Response, accounts: Accounts) -> Session:
    session = await session_of(request, accounts)
    if session is None:
        raise AuthRequired
    if session.renewed:
        set_cookies(response, session, accounts.lifetime, secure=request.url.scheme == "https")
    return session


SignedInSession = Annotated[Session, Depends(_signed_in_session)]


async def _user(session: SignedInSession) -> Actor:
    return Actor(kind="user", user_id=session.user.id)


User = Annotated[Actor, Depends(_user)]
"""The signed-in user, as the actor of requests to the other services."""


def set_cookies(response: Response, session: Session, lifetime: timedelta, *, secure: bool) -> None:
    seconds, user = int(lifetime.total_seconds()), session.user
    response.set_cookie(SESSION_COOKIE, session.token, max_age=seconds, httponly=True, samesite="lax", secure=secure)
    response.set_cookie(USER_COOKIE, f"{user.id}:{user.username}", max_age=seconds, samesite="lax", secure=secure)


def delete_cookies(response: Response) -> None:
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    response.delete_cookie(USER_COOKIE, samesite="lax")
