"""`python -m gateway.admin`: what whoever runs the server does with accounts, beside the running gateways.

Needs the gateway's environment (`DATABASE_URL`, `NATS_URL`). `make admin ARGS="users"` takes that of `make run`; in
containers it is `docker compose exec gateway python -m gateway.admin users`.
"""

# ruff: noqa: T201 (it prints what was asked for)

import argparse
import asyncio
import re
import secrets
import sys

from contracts import subjects
from contracts.errors import DomainError, NotFound
from contracts.ids import new_id
from gateway.accounts.models import (
    USERNAME_MAX_CHARACTERS,
    USERNAME_MIN_CHARACTERS,
    USERNAME_PATTERN,
    SessionsChanged,
    User,
)
from gateway.accounts.passwords import Passwords
from gateway.accounts.repository import AccountRepository
from gateway.database import Database
from gateway.settings import Settings
from servicekit.bus import connected
from servicekit.database import pool
from servicekit.errors import Unreachable
from servicekit.process import configure_logging

PASSWORD_BYTES = 15
CALLER = "admin"


class Administration:
    def __init__(self, accounts: AccountRepository) -> None:
        self._accounts = accounts
        self._passwords = Passwords()

    async def list_users(self) -> None:
        users = await self._accounts.users()
        width = max((len(user.username) for user in users), default=0)
        for user in users:
            first = "  first account" if user.is_first else ""
            print(f"{user.username:{width}}  since {user.created_at:%Y-%m-%d}  sessions: {user.sessions}{first}")
        print(f"{len(users)} account{'' if len(users) == 1 else 's'}")

    async def add(self, username: str) -> None:
        """Whether sign-up is closed or not. Prints the generated password: it is stored as a hash only."""
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        user = User(id=new_id(), username=username)
        await self._accounts.add_user(user, await self._passwords.hash(password, CALLER), only_as_first=False)
        print(f"Account {username}, password {password}\nIts owner changes the password in the settings.")

    async def reset_password(self, username: str) -> list[str]:
        """Returns the ids of the sessions that ended: all of the user."""
        user = await self._user(username)
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        await self._accounts.set_password(user.id, await self._passwords.hash(password, CALLER))
        ended = await self._accounts.end_sessions(user.id)
        print(f"New password of {user.username}: {password}\nSessions ended: {len(ended)}")
        return ended

    async def sign_out(self, username: str) -> list[str]:
        """Returns the ids of the sessions that ended: all of the user."""
        user = await self._user(username)
        ended = await self._accounts.end_sessions(user.id)
        print(f"Sessions of {user.username} ended: {len(ended)}")
        return ended

    async def _user(self, username: str) -> User:
        stored = await self._accounts.user_named(username)
        if stored is None:
            raise NotFound(f"There is no account {username}: `users` lists them.")
        return stored.user


async def main(command: str, username: str) -> None:
    """Raises `DomainError` where it cannot be done, and `Unreachable`."""
    settings = Settings()  # pyright: ignore[reportCallIssue]  (from the environment)
    async with pool(settings.database_url, "accounts", size=1) as connections:
        administration = Administration(AccountRepository(Database(connections)))
        if command == "users":
            return await administration.list_users()
        if command == "add":
            return await administration.add(username)
        act = administration.reset_password if command == "reset-password" else administration.sign_out
        ended = await act(username)
    async with connected(settings.nats_url, "admin") as nc:
        await nc.publish(subjects.SESSIONS_CHANGED, SessionsChanged(ended=ended).model_dump_json().encode())


def _username(text: str) -> str:
    if not re.fullmatch(USERNAME_PATTERN, text):
        lengths = f"{USERNAME_MIN_CHARACTERS} to {USERNAME_MAX_CHARACTERS}"
        raise argparse.ArgumentTypeError(f"a name has {lengths} letters, digits or underscores, not {text!r}")
    return text


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gateway.admin", description="Accounts of this server.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("users", help="list the accounts")
    for name, text in (
        ("add", "create an account and print its password"),
        ("reset-password", "set a new password, print it, and end all sessions of the account"),
        ("sign-out", "end all sessions of the account"),
    ):
        commands.add_parser(name, help=text).add_argument("username", type=_username)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = _arguments()
    configure_logging("admin", "ERROR")
    try:
        asyncio.run(main(arguments.command, getattr(arguments, "username", "")))
    except (DomainError, Unreachable) as error:
        sys.exit(str(error) or (type(error).__doc__ or "").strip())
