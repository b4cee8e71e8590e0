"""Replaces quotations and links of a request by placeholders while it is parsed, so that the title "milk and eggs"
stays whole."""

import re

_OPEN, _CLOSE = "\ue000", "\ue001"
_PLACE = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_LINK = r"\[(?P<title>(?:\\.|[^\[\]\\])+)\]\(/notes/(?P<id>[0-9a-fA-F-]{36})\)"
_QUOTED = re.compile(  # no opening mark inside, so that many of them without a closing one cost no time
    _LINK + r"|“([^“”]+)”|„([^„“”]+)[“”]|«\s*([^«»]+?)\s*»|»\s*([^«»]+?)\s*«|‹([^‹›]+)›|‘([^‘’]+)’(?!\w)|‚([^‚‘’]+)[‘’]"
    r"|\"([^\"]+)\"|`([^`]+)`|(?<!\w)'([^']+(?:'\w[^']*)*)'(?!\w)"
)

PLACE = f"{_OPEN}\\d+{_CLOSE}"
"""A pattern for a whole quotation, for the rules to use."""


class Quotes:
    """A request with placeholders for its quotations. `text` is what the rules read."""

    def __init__(self, request: str) -> None:
        self._spans: list[tuple[str, str]] = []
        self._linked: dict[int, str] = {}
        self.text = _QUOTED.sub(self._replace, request.replace(_OPEN, " ").replace(_CLOSE, " "))

    def restore(self, text: str) -> str:
        """The text with its quotations back in place; without the marks if it is one quotation and nothing else."""
        whole = _PLACE.fullmatch(text.strip())
        if whole:
            return self._spans[int(whole.group(1))][1].strip()
        return _PLACE.sub(lambda match: self._spans[int(match.group(1))][0], text).strip()

    def linked(self, text: str) -> str | None:
        """The id of the linked note, if the text is one link and nothing else."""
        whole = _PLACE.fullmatch(text.strip())
        return self._linked.get(int(whole.group(1))) if whole else None

    def _replace(self, match: re.Match[str]) -> str:
        inner = next(group for group in match.groups() if group is not None)
        if not inner.strip():
            return match.group()
        if match["id"]:
            inner = re.sub(r"\\(.)", r"\1", inner)
            self._linked[len(self._spans)] = match["id"].lower()
        self._spans.append((match.group(), inner))
        return f"{_OPEN}{len(self._spans) - 1}{_CLOSE}"


def is_quoted(text: str) -> bool:
    return _PLACE.fullmatch(text.strip()) is not None
