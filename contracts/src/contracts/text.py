"""Conditions for any text that is stored."""


def no_nul(text: str) -> str:
    if "\x00" in text:  # PostgreSQL cannot store it
        raise ValueError("must not contain the NUL character")
    return text
