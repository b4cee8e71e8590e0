"""What routes ask for: the services of this process, the session behind a request, and in whose name it acts.

All are `async`, though few wait: FastAPI runs the others in threads, at ten times the cost.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.requests import HTTPConnection

from contracts.actor import Actor
from contracts.errors import AuthRequired
from gateway.accounts.models import Session
from gateway.container import Container

COOKIE = "inkstream_session"
WHO = "inkstream_user"
"""A second cookie, `<id>:<username>`, that the page may read: it knows who is signed in without asking, and that nobody
is. It opens nothing."""


async def _services(connection: HTTPConnection) -> Container:
    return connection.state.gateway


Services = Annotated[Container, Depends(_services)]


async def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else "unknown"


Address = Annotated[str, Depends(_address)]
"""Where the request comes from; behind a trusted proxy what that says."""


async def session_of(connection: HTTPConnection, to: Container) -> Session | None:
    token = connection.cookies.get(COOKIE)
    return await to.accounts.session(token) if token else None


async def _signed_in(request: Request, response: Response, to: Services) -> Session:
    session = await session_of(request, to)
    if session is None:
        raise AuthRequired
    if session.renewed:
        set_cookies(response, session, to.accounts.lifetime, secure=request.url.scheme == "https")
    return session


SignedInSession = Annotated[Session, Depends(_signed_in)]


async def _actor(session: SignedInSession) -> Actor:
    return Actor(kind="user", user_id=session.user.id)


User = Annotated[Actor, Depends(_actor)]
"""The signed-in person, as every service is told."""


def set_cookies(response: Response, session: Session, lifetime: timedelta, *, secure: bool) -> None:
    seconds, user = int(lifetime.total_seconds()), session.user
    response.set_cookie(COOKIE, session.token, max_age=seconds, httponly=True, samesite="lax", secure=secure)
    response.set_cookie(WHO, f"{user.id}:{user.username}", max_age=seconds, samesite="lax", secure=secure)


def delete_cookies(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
    response.delete_cookie(WHO, samesite="lax")
