"""Rules for requests that change an existing note."""

import re

from demo_model.intents import (
    Append,
    Delete,
    DeleteMany,
    Intent,
    Mark,
    Named,
    Pronoun,
    Remove,
    Rename,
    Replace,
    SetBody,
    Tag,
    Talk,
)
from demo_model.phrases import FLAGS, items, tags, target, title
from demo_model.quotes import PLACE, Quotes
from demo_model.rules_create import Rule

DELETE_MANY_MAX = 10
_FOR_SOMEBODY = re.compile(r"(?:me|us)\b", FLAGS)
"""What "write me …" asks for is a text that the model would have to make up."""
_POINT = re.compile(r"(?:my|the|this|that|our)\s", FLAGS)
_NOTE_END = re.compile(r"(?:\b(?:notes?|list|liste|todos?|memo)|^(?:it|this|that))\W*$", FLAGS)
_INNER = re.compile(r"\s(?:to|in|on|into|onto|of)\s+(?:my|the|this|it)\b|\s(?:to|in|on|into)\s+" + PLACE, FLAGS)


def _likely(words: str) -> int:
    """How likely the words name a note: to choose between "add go | to the bank to my list" and "… | to my list"."""
    if re.fullmatch(PLACE, words.strip().strip(".!?")):
        return 5
    return 3 * bool(_NOTE_END.search(words)) + bool(_POINT.match(words)) - 3 * bool(_INNER.search(words))


def _split_at(text: str, prepositions: str) -> tuple[str, str] | None:
    """The text before and after the preposition that most likely leads to the note; the first if equal."""
    places = list(re.finditer(rf"\s+(?:{prepositions})\s+(?=\S)", text, FLAGS))
    if not places:
        return None
    best = max(places, key=lambda place: (_likely(text[place.end() :]), -place.start()))
    return text[: best.start()], text[best.end() :]


def _append(match: re.Match[str], quotes: Quotes) -> Intent | None:
    """ "write", "put" and the like also begin requests for a text: they need a note, "add" takes the one used last."""
    text = match["text"].strip()
    if _FOR_SOMEBODY.match(text):
        return None
    parts = _split_at(text, "(?:at|to) the (?:end|bottom|top) of|as a (?:new )?line (?:to|in)|onto|into|to|in|on")
    if not match["adds"] and not (parts and _likely(parts[1]) > 0):
        return None
    lines = items(parts[0] if parts else text, quotes)
    return Append(target(parts[1], quotes) if parts else Pronoun(), lines) if lines else None


def _replace(match: re.Match[str], quotes: Quotes) -> Intent | None:
    new, note = match["new"], match["note"]
    parts = _split_at(new, "in|inside|within|of|on") if note is None else (new, note)
    return Replace(
        target(parts[1], quotes) if parts else Pronoun(),
        quotes.restore(match["old"]),
        quotes.restore((parts[0] if parts else new).strip().rstrip(".")),
    )


def _remove(match: re.Match[str], quotes: Quotes) -> Intent | None:
    parts = _split_at(match["text"], "from|off|out of")
    if not parts:
        return None
    if re.fullmatch(r"(?:my|the)\s+notes\W*", parts[1], FLAGS):
        return Delete(target(parts[0], quotes))
    return Remove(target(parts[1], quotes), quotes.restore(parts[0]))


def _delete_many(match: re.Match[str], quotes: Quotes) -> Intent | None:
    titles = items(match["notes"].rstrip(".!?"), quotes)
    return DeleteMany(tuple(Named(title) for title in titles)) if 1 < len(titles) <= DELETE_MANY_MAX else None


RULES: list[Rule] = [
    # tags and marks
    (
        re.compile(r"(?:add|put)\s+(?:the\s+)?tags?\s+(?P<tags>.+?)\s+(?:to|on)\s+(?P<note>.+)", FLAGS),
        lambda m, q: Tag(target(m["note"], q), tags(m["tags"], q)),
    ),
    (
        re.compile(r"(?:remove|delete|take)\s+(?:the\s+)?tags?\s+(?P<tags>.+?)\s+(?:from|off)\s+(?P<note>.+)", FLAGS),
        lambda m, q: Tag(target(m["note"], q), tags(m["tags"], q), add=False),
    ),
    (
        re.compile(r"tag\s+(?P<note>.+?)\s+(?:as|with)\s+(?P<tags>.+)", FLAGS),
        lambda m, q: Tag(target(m["note"], q), tags(m["tags"], q)),
    ),
    (
        re.compile(r"(?P<off>un-?)?pin\s+(?P<note>.+?)(?:\s+to\s+the\s+top)?[.!?]*", FLAGS),
        lambda m, q: Mark(target(m["note"], q), "pinned", not m["off"]),
    ),
    (
        re.compile(r"(?P<off>un-?)?archive\s+(?P<note>.+)", FLAGS),
        lambda m, q: Mark(target(m["note"], q), "archived", not m["off"]),
    ),
    (
        re.compile(r"(?:mark|set)\s+(?P<note>.+?)\s+(?:as|to)\s+(?:(?P<pinned>pinned)|archived)\W*", FLAGS),
        lambda m, q: Mark(target(m["note"], q), "pinned" if m["pinned"] else "archived", value=True),
    ),
    # renaming and rewriting
    (
        re.compile(
            r"(?:change|set|update|edit)\s+the\s+(?:title|name)\s+(?:of|for)\s+(?P<note>.+?)\s+(?:to|as)\s+(?P<title>.+)",
            FLAGS,
        ),
        lambda m, q: Rename(target(m["note"], q), title(m["title"], q)),
    ),
    (
        re.compile(r"(?:rename|retitle)\s+(?P<note>.+?)\s+(?:to|as|into)\s+(?P<title>.+)", FLAGS),
        lambda m, q: Rename(target(m["note"], q), title(m["title"], q)),
    ),
    (
        re.compile(r"(?:call|name)\s+(?P<note>it|this note|that note|this)\s+(?P<title>.+)", FLAGS),
        lambda m, q: Rename(target(m["note"], q), title(m["title"], q)),
    ),
    (
        re.compile(
            r"(?:change|set|update|replace|rewrite)\s+the\s+(?:body|text|contents?)\s+(?:of|in)\s+(?P<note>.+?)\s+(?:to|with)"
            r"(?:\s+say)?\s*:?\s+(?P<body>.+)",
            FLAGS,
        ),
        lambda m, q: SetBody(target(m["note"], q), q.restore(m["body"])),
    ),
    (
        re.compile(
            r"(?:update|change|edit|set)\s+(?P<note>.+?)\s+(?:with|to\s+have)\s+(?:the\s+|a\s+)?(?:new\s+)?"
            r"(?:body|text|contents?)\s*:?\s+(?P<body>.+)",
            FLAGS,
        ),
        lambda m, q: SetBody(target(m["note"], q), q.restore(m["body"])),
    ),
    (
        re.compile(r"(?:make|change|update|rewrite)\s+(?P<note>.+?)\s+(?:to\s+)?say\s*:?\s+(?P<body>.+)", FLAGS),
        lambda m, q: SetBody(target(m["note"], q), q.restore(m["body"])),
    ),
    # lines
    (
        re.compile(
            r"(?:in\s+(?P<note>[^\n]{1,200}?)\s*,?\s+)?(?:change|replace|swap|correct|turn|switch|update|edit|fix)\s+"
            r"(?:(?:the\s+)?(?:line|word|words|text|item|entry)\s+)?(?P<old>.+?)\s+(?:to|with|by|for|into)\s+(?P<new>.+)",
            FLAGS,
        ),
        _replace,
    ),
    (
        re.compile(
            r"(?:remove|delete|take|cross|strike|drop|erase|cut)\s+(?:off\s+|out\s+)?"
            r"(?:(?:the\s+)?(?:line|word|words|text|item|entry)\s+)?(?P<text>.+\s(?:from|off|out\s+of)\s.+)",
            FLAGS,
        ),
        _remove,
    ),
    (
        re.compile(
            r"(?:delete|remove|trash|erase|discard|get\s+rid\s+of)\s+(?:(?:my|the|both|these)\s+)*notes\s+"
            r"(?:titled\s+|called\s+|named\s+)?(?P<notes>.+)",
            FLAGS,
        ),
        _delete_many,
    ),
    (
        re.compile(r"(?:delete|remove|trash|erase|discard)\s+(?:all|every|everything)(?:\W.*)?", FLAGS),
        lambda m, q: Talk("one_at_a_time"),
    ),
    (
        re.compile(
            r"(?:delete|remove|trash|erase|discard|destroy|bin|get\s+rid\s+of|throw\s+(?:away|out))\s+(?P<note>.+?)"
            r"(?:\s+again)?[.!?]*",
            FLAGS,
        ),
        lambda m, q: Delete(target(m["note"], q)),
    ),
    (
        re.compile(r"(?:move|put|throw)\s+(?P<note>.+?)\s+(?:to|in|into)\s+the\s+(?:trash|bin)\W*", FLAGS),
        lambda m, q: Delete(target(m["note"], q)),
    ),
    (
        re.compile(
            r"(?:add|append|put|write)\s+(?:(?:the\s+following|this|these)\s+)?(?:to|on|in|into)\s+"
            r"(?P<note>[^\n:]+?(?:\s*:|\s+(?:list|note)(?=\s)))\s*(?P<text>.+)",
            FLAGS,
        ),
        lambda m, q: Append(target(m["note"], q), items(m["text"], q)),
    ),
    (
        re.compile(
            r"(?:(?P<adds>add|append|insert)|put|include|attach|write|jot)\s+(?:down\s+)?"
            r"(?:(?:the\s+|a\s+|another\s+)?(?:line|text|items?|words?|entry)(?:\s+saying|\s+with)?\s*:?\s+)?(?P<text>.+)",
            FLAGS,
        ),
        _append,
    ),
]
