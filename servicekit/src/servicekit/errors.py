"""Errors of a process, not of a request: no user ever meets one."""


class Unreachable(Exception):
    """NATS or PostgreSQL does not answer at the start of a process, or its port is taken."""
