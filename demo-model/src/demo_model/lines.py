"""Finds a line or a word in a note's text such that one exact replacement changes it and nothing else."""

import re
from dataclasses import dataclass

_MARK = re.compile(r"\s*(?:(?:[-*+•]|\d+[.)])\s+)?(?:\[[ xX]\]\s*)?")


@dataclass(frozen=True)
class Edit:
    """Replaces `find`, which occurs in the text exactly once."""

    find: str
    replace: str


def replacement(body: str, old: str, new: str) -> Edit | None:
    """Replaces `old` by `new`: the one line that is `old`, or its only occurrence, ignoring case. None if ambiguous."""
    lines = body.split("\n")
    if (place := _line(lines, old)) is not None:
        mark = _mark(lines[place])
        return _windowed(body, lines, place, [mark + new])
    found = _occurrences(body, old)
    return Edit(found[0].group(), new) if len(found) == 1 else None


def removal(body: str, text: str) -> Edit | None:
    """Removes `text`: its whole line, or its only occurrence with the comma or space before it. None if ambiguous."""
    lines = body.split("\n")
    if (place := _line(lines, text)) is not None:
        return _windowed(body, lines, place, [])
    found = _occurrences(body, text)
    if len(found) != 1:
        return None
    word = re.escape(found[0].group())
    around = re.search(rf",\s*{word}|{word}\s*,\s*|[ \t]+{word}|{word}", body)
    return Edit(around.group() if around and body.count(around.group()) == 1 else found[0].group(), "")


def occurrences(body: str, text: str) -> int:
    return len(_occurrences(body, text))


def has_bullets(text: str) -> bool:
    return re.search(r"^\s*[-*•]\s", text, re.MULTILINE) is not None


def _occurrences(body: str, text: str) -> list[re.Match[str]]:
    return list(re.finditer(re.escape(text), body, re.IGNORECASE)) if text else []


def _mark(line: str) -> str:
    found = _MARK.match(line)
    return found.group() if found else ""


def _line(lines: list[str], text: str) -> int | None:
    wanted = text.strip().casefold()
    places = [place for place, line in enumerate(lines) if line[len(_mark(line)) :].strip().casefold() == wanted]
    return places[0] if len(places) == 1 and wanted else None


def _windowed(body: str, lines: list[str], place: int, instead: list[str]) -> Edit:
    """The line with as many neighbours as make it unique; at least one neighbour if the line itself is removed."""
    start, end = place, place + 1
    while True:
        alone = not instead and end - start == 1 and len(lines) > 1
        window = "\n".join(lines[start:end])
        if not alone and body.count(window) == 1:
            return Edit(window, "\n".join([*lines[start:place], *instead, *lines[place + 1 : end]]))
        if end < len(lines):
            end += 1
        elif start > 0:
            start -= 1
        else:
            return Edit(window, "\n".join([*lines[:place], *instead, *lines[place + 1 :]]))
