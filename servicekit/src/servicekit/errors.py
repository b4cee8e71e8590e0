"""Errors of a process, not of a request: no user ever meets one."""


class Reportable(Exception):
    """Its message is written here and quotes nothing that people wrote: it may be logged as it is."""


class Unreachable(Reportable):
    """NATS or PostgreSQL does not answer at the start of a process, or its port is taken."""
