"""The phrases that rules share: politeness to ignore, and how words become titles, lists, tags and note references."""

import re

from contracts.notes import TAG_MAX_CHARACTERS, TAGS_MAX, TITLE_MAX_CHARACTERS
from demo_model.intents import Linked, Named, Nth, Pronoun, Target
from demo_model.quotes import Quotes, is_quoted

FLAGS = re.IGNORECASE | re.DOTALL
GENERATED_TITLE_CHARACTERS = 60
ITEM_WORDS = 5

_POLITE = re.compile(
    r"(?:(?:please|pls|kindly|hey|hi|hello|ok|okay|well|great|thanks|thank you|so|now|next|then|also|and|just|quickly"
    r"|inkstream|assistant|go ahead and|let'?s|let us|help me(?: to)?|can you|could you|would you|will you|can we"
    r"|i want you to|i need you to|i'?d like you to|i would like you to|i want to|i need to|i'?d like to"
    r"|i would like to|can i|could i|may i|mind)(?:\s*[,:!.]\s*|\s+))+",
    FLAGS,
)
_THANKS = re.compile(r"(?:\s*,?\s+please|\s*,\s*thanks|\s*,\s*thank you|\s+for me)\s*([.!?]*)\s*$", FLAGS)
_SEPARATOR = re.compile(r"\s*[,;]\s*(?:(?:and|und|et)\s+)?|\s+(?:and|und|et|plus|as well as)\s+|\s*&\s*", FLAGS)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "last": -1,
}  # fmt: skip
_ORDINAL = re.compile(
    rf"(?:the\s+)?(?:({'|'.join(_ORDINALS)})|(?:number\s+|no\.?\s*|#)(\d{{1,3}})|(\d{{1,3}})(?:st|nd|rd|th))"
    r"(?:\s+(?:one|note|result))?",
    FLAGS,
)
_IT = re.compile(
    r"it|that|them|that one|(?:that|the|my|the same|the new) note|the one|(?:the|that) list"
    r"|(?:the|that) note (?:you|i)(?: just| have just|'ve just)? (?:created|made|wrote|found|changed|added)|note",
    FLAGS,
)
_THIS = re.compile(
    r"this|this one|this note|(?:the|my) (?:open|current) note|the note (?:i have open|i'?m (?:in|on|reading))", FLAGS
)
_ABOUT = re.compile(
    r"(?:notes?|memos?|one|entry)\s+(?:about|on|regarding|with|containing|mentioning|(?:that|which)\s+(?:mentions?|says?"
    r"|contains?|talks? about|is about|has))\s+(?:my\s+|the\s+)?(.+)",
    FLAGS,
)
_TITLED = re.compile(r"(?:(?:notes?|memo|one|entry)\s+)?(?:titled|called|named|with the title)\s+(.+)", FLAGS)
_AROUND_LINK = re.compile(
    r"^(?:my\s+|the\s+|this\s+|that\s+)?(?:(?:note|memo|list)\s+)?(?:(?:titled|called|named)\s+)?|\s+(?:note|memo|list)$",
    FLAGS,
)
_IN_NOTES = re.compile(r"\s+(?:in|from|of|among|out of)\s+(?:my|the)\s+notes$", FLAGS)


def polite(text: str) -> str:
    """The request without the polite words around it, and then also without its question mark."""
    opening = _POLITE.match(text)
    text = text[opening.end() :] if opening else text
    text = _THANKS.sub(r"\1", text)
    return text.rstrip("? \t\n") if opening else text


def title(text: str, quotes: Quotes) -> str:
    """Words as a title: one line, without the final punctuation, cut to the length that a title may have."""
    plain = text.strip() if is_quoted(text) else text.strip().rstrip(".,;:").strip()
    return " ".join(quotes.restore(plain).split())[:TITLE_MAX_CHARACTERS].strip()


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def quick_title(text: str) -> str:
    """A title for a text without one: its first words."""
    lines = text.strip().splitlines() or [""]
    first = " ".join(_BULLET.sub("", lines[0]).split()).rstrip(".,;:")
    if len(first) > GENERATED_TITLE_CHARACTERS:
        first = first[:GENERATED_TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(".,;:") + "…"
    return capitalised(first) or "New note"


def items(text: str, quotes: Quotes) -> tuple[str, ...]:
    """The items that a text lists: its lines, or its parts between commas and "and"; a longer sentence is one item."""
    text = text.strip()
    if "\n" in text:
        parts = [_BULLET.sub("", line) for line in text.splitlines()]
    else:
        parts = _SEPARATOR.split(text)
        if any(len(part.split()) > ITEM_WORDS for part in parts):
            parts = [text]
    cleaned = (quotes.restore(re.sub(r"^some\s+", "", part.strip().rstrip(".;,"), flags=FLAGS)) for part in parts)
    return tuple(item for item in cleaned if item)


def tags(text: str, quotes: Quotes) -> tuple[str, ...]:
    found = (item.lstrip("#").strip()[:TAG_MAX_CHARACTERS] for item in items(re.sub(r"\s+#", ", #", text), quotes))
    return tuple(dict.fromkeys(tag for tag in found if tag))[:TAGS_MAX]


def target(text: str, quotes: Quotes) -> Target:
    """Which note the words refer to."""
    words = text.strip().strip(".!?,:;").strip()
    if note_id := quotes.linked(_AROUND_LINK.sub("", words)):
        return Linked(note_id, quotes.restore(_AROUND_LINK.sub("", words)))
    if is_quoted(words):
        return Named(quotes.restore(words))
    words = _IN_NOTES.sub("", words)
    if _THIS.fullmatch(words):
        return Pronoun("this")
    if not words or _IT.fullmatch(words):
        return Pronoun("it")
    return ordinal(words) or _named(re.sub(r"^(?:my|the|our|that|this|an?)\s+", "", words, flags=FLAGS), quotes)


def _named(words: str, quotes: Quotes) -> Named:
    if about := _ABOUT.fullmatch(words):
        return Named(quotes.restore(about.group(1)), about=True)
    if titled := _TITLED.fullmatch(words):
        return Named(quotes.restore(titled.group(1)))
    words = re.sub(r"^(?:note|memo)\s*:?\s+", "", words, flags=FLAGS)
    return Named(quotes.restore(re.sub(r"\s+(?:note|memo)$", "", words, flags=FLAGS)))


def ordinal(words: str) -> Nth | None:
    """ "the second one", "number 2", "the 3rd note"."""
    found = _ORDINAL.fullmatch(words.strip().strip(".!?"))
    if not found:
        return None
    return Nth(_ORDINALS.get((found.group(1) or "").lower()) or int(found.group(2) or found.group(3)))
