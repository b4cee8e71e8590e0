"""Why the system cannot start. Each message tells a person what to do about it."""


class CannotStart(Exception):
    """Something that only the person who starts the system can put right."""
