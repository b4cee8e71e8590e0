"""Ports on loopback: finding free ones, and whether one is taken."""

import errno
import random
import socket

FIRST, LAST = 20_000, 32_000
"""Below the kernel's range for outgoing connections, so that a restarted server can use its port again."""


def free_port() -> int:
    """A port that is free now. Another process may take it before the caller does."""
    while True:
        port = random.randint(FIRST, LAST)  # noqa: S311  (not a secret)
        if not is_taken("127.0.0.1", port):
            return port


def is_taken(host: str, port: int) -> bool:
    """Whether the port is in use. Raises `OSError` for a host that is not this machine's."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False
