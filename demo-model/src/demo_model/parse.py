"""Parses a request in plain English into intents, by rules and nothing else."""

import re
from dataclasses import replace

from demo_model import rules_change, rules_create, rules_find
from demo_model.intents import (
    Choose,
    Create,
    Delete,
    DeleteMany,
    Intent,
    Linked,
    Named,
    OnNote,
    Pronoun,
    Search,
    SetBody,
    Story,
    Talk,
    Target,
    Unknown,
)
from demo_model.phrases import FLAGS, ordinal, polite, target
from demo_model.quotes import PLACE, Quotes

INTENTS_MAX = 5
REQUEST_CHARACTERS = 2_000
"""Longer requests are read only as a text to write down: rules are for sentences."""

_STORY = re.compile(
    r"(?:(?:tell|write|give|read|make\s+up|invent|spin|i\s+want|how\s+about)\s+)?(?:me\s+|us\s+)?(?:a\s+|an\s+|another\s+"
    r"|the\s+)?(?P<kind>(?:[\w-]+\s+){0,4}?)(?:story|tale|fairy\s?tale)\b(?P<rest>.*)",
    FLAGS,
)
_WORDS = re.compile(r"\b(\d{2,4})[\s-]words?\b", FLAGS)
_GREETING = re.compile(
    r"(?:hello|hi|hey|hiya|howdy|good\s+(?:morning|day|afternoon|evening)|greetings)\b.{0,20}", FLAGS
)
_HELP = re.compile(
    r"(?:help|\?+|what\s+can\s+(?:you|i)\s+(?:do|ask|say|help)|what\s+do\s+you\s+do|who\s+are\s+you|what\s+are\s+you"
    r"|are\s+you\s+(?:real|a\s+.*|an\s+.*|the\s+.*)|how\s+do(?:es)?\s+(?:you|this|it)\s+work|help\s+me)\b.{0,40}\W*",
    FLAGS,
)
_THANKS = re.compile(r"(?:thanks|thank\s+you|thx|cheers|great|perfect|nice|cool|ok(?:ay)?)\b[\w\s]{0,30}\W*", FLAGS)
_AND = re.compile(r"\s*(?:,?\s+and\s+then|,?\s+then|,?\s+and\s+also|,?\s+and|;|[.!?\n])\s+", FLAGS)
_DICTATED = re.compile(r"\b(?:body|text|contents?|words|message|saying|says|reads)\b|:\s", FLAGS)
"""What follows these in a request to write a note is its text to the end, not a second request."""
_QUOTED_END = re.compile(rf"{PLACE}\W*$")
_ACTION = re.compile(
    r"(?:create|make|add|append|put|insert|find|search|look|list|show|read|open|delete|trash|remove|rename|call|change|replace"
    r"|pin|unpin|archive|unarchive|tag|tell|set|update|write|move|what|which|how\s+many)\b",
    FLAGS,
)


_ON = re.compile(
    r"(?:update|edit|modify|change)\s+(?P<note>.+?)(?:\s*[:,]|,?\s+and|,?\s+by)\s+(?P<action>(?:add|append|put|insert|include"
    r"|replace|change|remove|cross|rename|pin|archive|tag)\b.+)",
    FLAGS,
)


def parse(request: str) -> list[Intent]:
    """The intents of a request in the order to do them; at least one, `Unknown` where no rule fits."""
    quotes = Quotes(request.strip())
    text = polite(quotes.text)
    for pattern, build in rules_create.VERBATIM:
        if (found := pattern.fullmatch(text)) and (intent := build(found, quotes)):
            return [intent]
    if len(request) > REQUEST_CHARACTERS:
        return [_first(rules_create.RULES, text, quotes) or Unknown()]
    return _joined(_clauses(text, quotes))[:INTENTS_MAX]


def _clauses(text: str, quotes: Quotes) -> list[Intent]:
    """The request as one intent, or as two requests where both sides of an "and" are."""
    if on := _ON.fullmatch(text):
        done = _clauses(on["action"], quotes)
        if isinstance(done[0], OnNote) and done[0].target == Pronoun("it"):
            return [aimed(done[0], target(on["note"], quotes)), *done[1:]]
    for place in _AND.finditer(text):
        rest = polite(text[place.end() :])
        if not _ACTION.match(rest):
            continue
        before = text[: place.start()]
        head, tail = _clause(before, quotes), _clauses(rest, quotes)
        if isinstance(head, Create | SetBody) and _dictated(before) and "then" not in place.group().lower():
            break
        if not isinstance(head, Unknown) and not any(isinstance(intent, Unknown) for intent in tail):
            return [head, *tail]
    return [_clause(text, quotes)]


def _dictated(text: str) -> bool:
    return _DICTATED.search(text) is not None and not _QUOTED_END.search(text)


def _clause(text: str, quotes: Quotes) -> Intent:
    text = polite(text).strip()
    if not text or _HELP.fullmatch(text):
        return Talk("help") if text else _small_talk(quotes.text)
    if created := _first(rules_create.RULES, text, quotes):
        return created
    if story := _STORY.fullmatch(text):
        return _story(story, quotes)
    if nth := ordinal(text):
        return Choose(nth)
    return (
        _first(rules_change.RULES, text, quotes) or _first(rules_find.RULES, text, quotes) or _small_talk(quotes.text)
    )


def _first(rules: list[rules_create.Rule], text: str, quotes: Quotes) -> Intent | None:
    for pattern, build in rules:
        if (found := pattern.fullmatch(text)) and (intent := build(found, quotes)):
            return intent
    return None


def _small_talk(text: str) -> Intent:
    if _GREETING.fullmatch(text.strip()):
        return Talk("greeting")
    return Talk("thanks") if _THANKS.fullmatch(text.strip()) else Unknown()


def _story(match: re.Match[str], quotes: Quotes) -> Story:
    rest = match["rest"]
    length = _WORDS.search(match.group())
    about = re.search(r"\b(?:about|of|on)\s+(?!\d)(.+)", rest, FLAGS)
    topic = quotes.restore(about.group(1).strip().rstrip(".!?")) if about else ""
    words = int(length.group(1)) if length else Story.words
    return Story(" ".join(topic.split())[:80], max(words, 50))


def _joined(intents: list[Intent]) -> list[Intent]:
    """ "find my note about eggs and add butter to it" means that note: the search is how the second finds it. Notes to
    delete one after the other are deleted together."""
    joined: list[Intent] = []
    for intent in intents:
        last = joined[-1] if joined else None
        if isinstance(last, Search) and isinstance(intent, OnNote) and intent.target == Pronoun("it"):
            joined[-1] = aimed(intent, Named(last.query, about=True))
        elif isinstance(last, Delete | DeleteMany) and isinstance(intent, Delete) and _stands_alone(intent.target):
            before = last.targets if isinstance(last, DeleteMany) else (last.target,)
            joined[-1] = DeleteMany((*before, intent.target))
        else:
            joined.append(intent)
    return joined


def _stands_alone(target: Target) -> bool:
    return isinstance(target, Named | Linked)


def aimed(intent: OnNote, note: Target) -> OnNote:
    """The same request about another note."""
    return replace(intent, target=note)
