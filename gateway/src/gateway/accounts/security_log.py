"""What happens to accounts, for the operator: one line of the log each, with the address that it came from.

docs/operations.md has the lines and a filter of fail2ban for them. What was typed as a name is logged only where it is
the name of an account: people type passwords there.
"""

import structlog

_log = structlog.stdlib.get_logger()


def signed_in(address: str, username: str, *, known_device: bool) -> None:
    _log.info("signed in", log="security", address=address, username=username, known_device=known_device)


def sign_in_refused(address: str, username: str | None, reason: str) -> None:
    """`reason`: `credentials`, or `rate_limited`."""
    _log.warning("sign-in refused", log="security", address=address, username=username, reason=reason)


def registered(address: str, username: str) -> None:
    _log.info("registered", log="security", address=address, username=username)


def registration_refused(address: str, reason: str) -> None:
    """`reason`: `rate_limited`, or `sign_up_closed`."""
    _log.warning("registration refused", log="security", address=address, reason=reason)


def password_changed(address: str, username: str) -> None:
    _log.info("password changed", log="security", address=address, username=username)


def password_change_refused(address: str, username: str, reason: str) -> None:
    _log.warning("password change refused", log="security", address=address, username=username, reason=reason)
