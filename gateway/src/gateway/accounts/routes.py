"""HTTP routes of accounts."""

from fastapi import APIRouter, Request, Response

from gateway.accounts.dependencies import Accounts, SignedInSession, delete_cookies, set_cookies
from gateway.accounts.models import Credentials, PasswordChange, Registration, Session, SignedIn
from gateway.accounts.service import AccountService
from gateway.dependencies import Address
from gateway.problems import problems

router = APIRouter(prefix="/api/auth", tags=["accounts"])


@router.post("/register", status_code=201, responses=problems(403, 409, 422, 429))
async def register(
    body: Registration, request: Request, response: Response, accounts: Accounts, address: Address
) -> SignedIn:
    """Creates an account and signs it in."""
    return _signed_in(await accounts.register(body.username, body.password, address), request, response, accounts)


@router.post("/login", responses=problems(401, 403, 422, 429))
async def login(
    body: Credentials, request: Request, response: Response, accounts: Accounts, address: Address
) -> SignedIn:
    return _signed_in(await accounts.sign_in(body.username, body.password, address), request, response, accounts)


@router.post("/logout", status_code=204, responses=problems(401, 403))
async def logout(session: SignedInSession, response: Response, accounts: Accounts) -> None:
    """Ends this session, and its streams and WebSockets with it."""
    await accounts.sign_out(session)
    delete_cookies(response)


@router.get("/me", responses=problems(401))
async def me(session: SignedInSession) -> SignedIn:
    return SignedIn(user=session.user)


@router.post("/password", status_code=204, responses=problems(401, 403, 422, 429))
async def change_password(body: PasswordChange, session: SignedInSession, accounts: Accounts, address: Address) -> None:
    """Changes the password and ends the user's other sessions."""
    await accounts.change_password(session, body.current, body.new, address)


def _signed_in(session: Session, request: Request, response: Response, accounts: AccountService) -> SignedIn:
    set_cookies(response, session, accounts.lifetime, secure=request.url.scheme == "https")
    return SignedIn(user=session.user)
