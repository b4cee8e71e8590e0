"""Errors of a process, not of a request: users never get one."""


class Reportable(Exception):
    """An error whose message contains no users' text, so that it may be logged."""


class Unreachable(Reportable):
    """NATS or PostgreSQL does not answer at the start of a process, or its port is taken."""
