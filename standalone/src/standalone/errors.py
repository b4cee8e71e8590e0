"""Reasons why the system cannot start. Each message says what to do about it."""


class CannotStart(Exception):
    """A problem that the person who starts the system has to solve."""
