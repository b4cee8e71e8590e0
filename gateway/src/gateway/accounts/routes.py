"""HTTP of accounts."""

from fastapi import APIRouter, Request, Response

from gateway.accounts.models import Credentials, PasswordChange, Registration, Session, SignedIn
from gateway.dependencies import Address, Services, SignedInSession, delete_cookies, set_cookies
from gateway.problems import problems

router = APIRouter(prefix="/api/auth", tags=["accounts"])


@router.post("/register", status_code=201, responses=problems(403, 409, 422, 429))
async def register(
    body: Registration, request: Request, response: Response, to: Services, address: Address
) -> SignedIn:
    """Makes an account and signs it in."""
    return _begun(await to.accounts.register(body.username, body.password, address), request, response, to)


@router.post("/login", responses=problems(401, 403, 422, 429))
async def login(body: Credentials, request: Request, response: Response, to: Services, address: Address) -> SignedIn:
    return _begun(await to.accounts.sign_in(body.username, body.password, address), request, response, to)


@router.post("/logout", status_code=204, responses=problems(401, 403))
async def logout(session: SignedInSession, response: Response, to: Services) -> None:
    """Ends this session, and its streams and WebSockets with it."""
    await to.accounts.sign_out(session)
    delete_cookies(response)


@router.get("/me", responses=problems(401))
async def me(session: SignedInSession) -> SignedIn:
    return SignedIn(user=session.user)


@router.post("/password", status_code=204, responses=problems(401, 403, 422, 429))
async def change_password(body: PasswordChange, session: SignedInSession, to: Services, address: Address) -> None:
    """Changes the password and ends the user's other sessions."""
    await to.accounts.change_password(session, body.current, body.new, address)


def _begun(session: Session, request: Request, response: Response, to: Services) -> SignedIn:
    set_cookies(response, session, to.accounts.lifetime, secure=request.url.scheme == "https")
    return SignedIn(user=session.user)
