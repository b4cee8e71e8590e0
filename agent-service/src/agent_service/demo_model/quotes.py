"""Quoted words of a request, put aside while it is read, so that a title like "milk and eggs" stays whole."""

import re

_OPEN, _CLOSE = "\ue000", "\ue001"
_PLACE = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_QUOTED = re.compile(  # no opening mark inside, so that many of them without a closing one cost no time
    r"“([^“”]+)”|„([^„“”]+)[“”]|«\s*([^«»]+?)\s*»|»\s*([^«»]+?)\s*«|‹([^‹›]+)›|‘([^‘’]+)’(?!\w)|‚([^‚‘’]+)[‘’]"
    r"|\"([^\"]+)\"|`([^`]+)`|(?<!\w)'([^']+(?:'\w[^']*)*)'(?!\w)"
)

PLACE = f"{_OPEN}\\d+{_CLOSE}"
"""A pattern for a whole quotation, for the rules to use."""


class Quotes:
    """A request with its quotations put aside. `text` is what the rules read."""

    def __init__(self, request: str) -> None:
        self._spans: list[tuple[str, str]] = []
        self.text = _QUOTED.sub(self._put_aside, request.replace(_OPEN, " ").replace(_CLOSE, " "))

    def restore(self, text: str) -> str:
        """The text with its quotations back in place; without the marks where it is one quotation and no more."""
        whole = _PLACE.fullmatch(text.strip())
        if whole:
            return self._spans[int(whole.group(1))][1].strip()
        return _PLACE.sub(lambda match: self._spans[int(match.group(1))][0], text).strip()

    def _put_aside(self, match: re.Match[str]) -> str:
        inner = next(group for group in match.groups() if group is not None)
        if not inner.strip():
            return match.group()
        self._spans.append((match.group(), inner))
        return f"{_OPEN}{len(self._spans) - 1}{_CLOSE}"


def is_quoted(text: str) -> bool:
    return _PLACE.fullmatch(text.strip()) is not None
