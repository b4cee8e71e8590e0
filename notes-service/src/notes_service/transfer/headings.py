"""The heading that becomes the title of a note without one."""

import pyromark

from contracts.notes import TITLE_MAX_CHARACTERS

SEARCHED_CHARACTERS = 16 * 1024
"""A heading further down than this is not used."""
MARKDOWN = pyromark.Markdown()


def first_heading(body: str) -> str:
    """The text of the first heading of level 1, cut to a title's length; empty if there is none."""
    inside = False
    text = ""
    for event in MARKDOWN.events(body[:SEARCHED_CHARACTERS]):
        match event:
            case {"Start": {"Heading": {"level": "H1"}}}:
                inside = True
            case {"End": {"Heading": "H1"}} if text.strip():
                break
            case {"Text": part} | {"Code": part} if inside:
                text += part
            case "SoftBreak" | "HardBreak" if inside:
                text += " "
            case _:
                pass
    return as_title(text)


def as_title(text: str) -> str:
    """In one line, and cut to a title's length."""
    return " ".join(text.split())[:TITLE_MAX_CHARACTERS].rstrip()
