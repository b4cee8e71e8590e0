"""The bodies of account requests with their limits, and what a session is."""

from datetime import datetime
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from contracts.ids import Id
from contracts.text import no_nul
from gateway.settings import SignUp

USERNAME_MIN_CHARACTERS, USERNAME_MAX_CHARACTERS = 3, 64
PASSWORD_MIN_CHARACTERS, PASSWORD_MAX_CHARACTERS = 8, 256
USERNAME_PATTERN = f"^[A-Za-z0-9_]{{{USERNAME_MIN_CHARACTERS},{USERNAME_MAX_CHARACTERS}}}$"

Username = Annotated[str, StringConstraints(pattern=USERNAME_PATTERN)]
Password = Annotated[str, StringConstraints(min_length=PASSWORD_MIN_CHARACTERS, max_length=PASSWORD_MAX_CHARACTERS)]


class Instance(BaseModel):
    """What anybody may know of this server. `has_accounts`: without any, the first may be created whatever `sign_up`
    is."""

    name: Annotated[str, Field(examples=["Inkstream"])]
    sign_up: SignUp
    has_accounts: bool


class Registration(BaseModel):
    username: Username
    password: Password


class Credentials(BaseModel):
    """Looser than `Registration`: a name that could not have been registered is answered as wrong credentials."""

    username: Annotated[str, StringConstraints(max_length=256), AfterValidator(no_nul)]
    password: Annotated[str, StringConstraints(max_length=1024)]


class PasswordChange(BaseModel):
    current: Annotated[str, StringConstraints(max_length=1024)]
    new: Password


class User(BaseModel):
    id: Id
    username: Annotated[str, Field(examples=["ada"])]


class SignedIn(BaseModel):
    user: User


class SignedInDevice(BaseModel):
    """A session of the user. `last_used_at` is exact to a day; `user_agent` is what the browser calls itself."""

    id: Id
    created_at: datetime
    last_used_at: datetime
    user_agent: str
    is_current: bool


class SignedInDevices(BaseModel):
    """The one used last is the first."""

    sessions: list[SignedInDevice]


class SessionsChanged(BaseModel):
    """Between gateways, the ids of sessions: those that have ended, and those that go on under another token."""

    ended: list[str]
    replaced: list[str] = []

    @property
    def all(self) -> list[str]:
        return [*self.ended, *self.replaced]


class Session(NamedTuple):
    """`token` is the cookie's value; only its hash is stored. `renewed`: the cookie has to be set again."""

    id: str
    token: str
    user: User
    renewed: bool = False
