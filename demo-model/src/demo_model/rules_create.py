"""Rules for requests that create notes."""

import re
from collections.abc import Callable

from demo_model.intents import Create, CreateMany, Intent
from demo_model.phrases import FLAGS, capitalised, items, quick_title, tags, title
from demo_model.quotes import Quotes, is_quoted

CREATE_MANY_MAX = 10

Rule = tuple[re.Pattern[str], Callable[[re.Match[str], Quotes], Intent | None]]

_VERB = (
    r"(?:create|make|add|write|start|save|set up|begin|compose|draft|take|put together|new|prepare)"
    r"(?:\s+(?:me|us))?\s+"
)
_NEW = r"(?:(?:an?|another|one|my)\s+)?(?:(?:new|quick|short|little|blank|empty|fresh)\s+)*"
_OTHER = r"(?:an?|another|my|new)\s+(?:new\s+)?(?:(?:(?!(?:to|on|in|into|from|of|line)\b)[\w'-]+\s+){1,3}?)"
_LIST = r"(?:an?|another|my|new)\s+(?:new\s+)?(?P<kind>(?:(?!(?:to|on|in|into|from)\b)[\w'-]+\s+){0,3}?[\w-]*list\b)"
_TITLED = r"(?:(?:that\s+is\s+)?(?:titled|called|named|entitled)|with\s+(?:the\s+|a\s+)?(?:title|name)|title)\s*:?\s+"
_PLAIN_BODY = (
    r"(?:,?\s+(?:and|with)\s+(?:the\s+|this\s+|a\s+)?(?:text|body|contents?|words|message|description)\s*:?"
    r"|,?\s+(?:saying|that\s+says|which\s+says|that\s+reads|and\s+write)\s*:?)\s+"
)
_LIST_BODY = (
    r"(?:,?\s+(?:and\s+)?(?:with|containing|including|listing|that\s+contains|which\s+contains|that\s+lists)"
    r"(?:\s+(?:the\s+)?(?:items?|following|things|entries|lines?|points)\s*:?|:)?\s+|\s*:\s+|\s*\n\s*)"
)
_TAGGED = re.compile(
    r"(.*?),?\s+(?:and\s+)?(?:tagged(?:\s+(?:with|as))?|(?:with|and)\s+(?:the\s+)?tags?)\s*:?\s+(\S.*)", FLAGS
)
_BODY = re.compile(rf"(?P<title>.*?)(?:(?P<plain>{_PLAIN_BODY})|(?P<list>{_LIST_BODY}))(?P<body>.*\S.*)", FLAGS)
_LIST_TITLE = re.compile(r"list|liste|to-?dos?\b|groceries|shopping|einkauf|courses", FLAGS)


def lists_things(text: str) -> bool:
    """Whether a note of this title is most likely a list."""
    return _LIST_TITLE.search(text) is not None


def bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _note(match: re.Match[str], quotes: Quotes) -> Intent | None:
    """ "… a note" and what follows it."""
    rest, tagged = _without_tags(match["rest"], quotes)
    if titled := re.match(rf"\s*,?\s*{_TITLED}", rest, FLAGS):
        heading, body = _heading_and_body(rest[titled.end() :], quotes)
        return Create(heading or None, body, tagged)
    if about := re.match(r"\s*(?:about|on|for|regarding)\s+", rest, FLAGS):
        heading, body = _heading_and_body(rest[about.end() :], quotes)
        return Create(capitalised(re.sub(r"^(?:my|the)\s+", "", heading, flags=FLAGS)) or None, body, tagged)
    if said := re.match(r"\s*(?::|saying|that\s+says|that|to\s+self:?|to)\s+", rest, FLAGS):
        return _quick(rest[said.end() :], quotes, tagged)
    heading, body = _heading_and_body(rest, quotes)
    if body and not heading:
        return Create(quick_title(body.removeprefix("- ").replace("\n- ", ", ")), body, tagged)
    return Create(heading or None, body, tagged)


def _list(match: re.Match[str], quotes: Quotes) -> Intent | None:
    """ "… a shopping list with milk and eggs"."""
    rest, tagged = _without_tags(match["kind"] + match["rest"], quotes)
    heading, body = _heading_and_body(rest, quotes, is_list=True)
    if titled := re.search(rf"\s,?\s*{_TITLED}", heading, FLAGS):
        heading = heading[titled.end() :]
    return Create(capitalised(heading), body, tagged)


def _many(match: re.Match[str], quotes: Quotes) -> Intent | None:
    titles = items(match["titles"], quotes)
    return CreateMany(titles[:CREATE_MANY_MAX]) if len(titles) > 1 else None


def _quick(text: str, quotes: Quotes, tagged: tuple[str, ...] = ()) -> Intent | None:
    body = quotes.restore(text)
    return Create(quick_title(body), body, tagged) if body else None


def _without_tags(text: str, quotes: Quotes) -> tuple[str, tuple[str, ...]]:
    tagged = _TAGGED.fullmatch(text)
    return (tagged.group(1), tags(tagged.group(2), quotes)) if tagged else (text, ())


def _heading_and_body(text: str, quotes: Quotes, *, is_list: bool = False) -> tuple[str, str]:
    parts = _BODY.fullmatch(text if text[:1].isspace() else f" {text}")
    if not parts:
        return title(text, quotes), ""
    heading = title(parts["title"], quotes)
    body = parts["body"].strip()
    if parts["plain"] or is_quoted(body) or (parts["list"].startswith("\n") and not lists_things(heading)):
        return heading, quotes.restore(body)
    lines = items(body, quotes)
    if len(lines) > 1 or is_list or lists_things(heading):
        return heading, bullets(lines)
    return heading, quotes.restore(body)


RULES: list[Rule] = [
    (
        re.compile(
            rf"{_VERB}(?:(?:\w+|the following)\s+)??notes\s*(?:titled|called|named|about|for)?\s*:?\s+(?P<titles>.+)",
            FLAGS,
        ),
        _many,
    ),
    (re.compile(rf"(?:{_VERB}(?:{_NEW}|{_OTHER})|(?:a\s+)?new\s+)(?:note|memo)(?P<rest>(?:\W.*)?)", FLAGS), _note),
    (
        re.compile(rf"{_VERB}{_LIST}(?P<rest>.*)", FLAGS),
        _list,
    ),
]

VERBATIM: list[Rule] = [
    (
        re.compile(
            r"(?:(?:quick\s+)?(?:notes?|memo)(?:\s+to\s+self)?\s*[:–—-]|(?:write|jot|note|take|put)\s+(?:this\s+|that\s+|it\s+)?down"
            r"(?:\s+that\b)?\s*:?|note\s+(?:to\s+self\b|that\b)\s*:?|remember(?:\s+(?:that|to)\b)?\s*:?"
            r"|remind\s+me\s+(?:that|to|about)\s|(?:don'?t|never)\s+(?:let\s+me\s+)?forget(?:\s+(?:that|to)\b)?\s*:?"
            r"|save\s+(?:this|the\s+following)(?:\s+(?:as|in)\s+a\s+note)?\s*:?)\s*(?P<text>\S.*)",
            FLAGS,
        ),
        lambda match, quotes: _quick(match["text"], quotes),
    ),
]
"""These take all that follows verbatim: it is never read as a second request."""
