"""HTTP routes of accounts."""

from fastapi import APIRouter, Request, Response

from contracts.ids import Id
from gateway.accounts.dependencies import (
    Accounts,
    ProtectedRoute,
    SignedInSession,
    SigningIn,
    delete_cookies,
    is_secure,
    set_cookies,
    set_device_cookie,
)
from gateway.accounts.models import (
    Credentials,
    Instance,
    PasswordChange,
    Registration,
    Session,
    SignedIn,
    SignedInDevices,
)
from gateway.accounts.service import AccountService, Client
from gateway.dependencies import Address
from gateway.problems import problems

router = APIRouter(prefix="/api/auth", tags=["accounts"], route_class=ProtectedRoute)
instance_router = APIRouter(prefix="/api/instance", tags=["accounts"])


@instance_router.get("")
async def instance(accounts: Accounts) -> Instance:
    """What anybody may know of this server."""
    return await accounts.instance()


@router.post("/register", status_code=201, responses=problems(403, 409, 422, 429))
async def register(
    body: Registration, request: Request, response: Response, accounts: Accounts, client: SigningIn
) -> SignedIn:
    """Creates an account and signs it in."""
    session = await accounts.register(body.username, body.password, client)
    return _signed_in(session, client, request, response, accounts)


@router.post("/login", responses=problems(401, 403, 422, 429))
async def login(
    body: Credentials, request: Request, response: Response, accounts: Accounts, client: SigningIn
) -> SignedIn:
    session = await accounts.sign_in(body.username, body.password, client)
    return _signed_in(session, client, request, response, accounts)


@router.post("/logout", status_code=204, responses=problems(401, 403))
async def logout(session: SignedInSession, response: Response, accounts: Accounts) -> None:
    """Ends this session, and its streams and WebSockets with it."""
    await accounts.sign_out(session)
    delete_cookies(response)


@router.get("/me", responses=problems(401))
async def me(session: SignedInSession) -> SignedIn:
    return SignedIn(user=session.user)


@router.get("/sessions", responses=problems(401))
async def sessions(session: SignedInSession, accounts: Accounts) -> SignedInDevices:
    """Where the user is signed in."""
    return SignedInDevices(sessions=await accounts.devices(session))


@router.delete("/sessions", status_code=204, responses=problems(401, 403))
async def end_other_sessions(session: SignedInSession, accounts: Accounts) -> None:
    """Ends all sessions of the user but this one, with their streams and WebSockets."""
    await accounts.end_other_sessions(session)


@router.delete("/sessions/{id}", status_code=204, responses=problems(401, 403, 404))
async def end_session(id: Id, session: SignedInSession, accounts: Accounts) -> None:  # noqa: A002
    """Ends one session of the user, with its streams and WebSockets."""
    await accounts.end_session(session.user, id)


@router.post("/password", status_code=204, responses=problems(401, 403, 422, 429))
async def change_password(
    *,
    body: PasswordChange,
    session: SignedInSession,
    request: Request,
    response: Response,
    accounts: Accounts,
    address: Address,
) -> None:
    """Changes the password, ends the user's other sessions, and gives this one a new cookie."""
    changed = await accounts.change_password(session, body.current, body.new, address)
    set_cookies(response, changed, accounts.lifetime, secure=is_secure(request))


def _signed_in(
    session: Session, client: Client, request: Request, response: Response, accounts: AccountService
) -> SignedIn:
    set_cookies(response, session, accounts.lifetime, secure=is_secure(request))
    device = accounts.remember_device(session.user, client.device_cookie)
    set_device_cookie(response, device, secure=is_secure(request))
    return SignedIn(user=session.user)
