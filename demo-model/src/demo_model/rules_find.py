"""Rules for requests that list, search or read notes."""

import re

from contracts.notes import QUERY_MAX_CHARACTERS
from demo_model.intents import Intent, List, Read, Search
from demo_model.phrases import FLAGS, tags, target
from demo_model.quotes import Quotes
from demo_model.rules_create import Rule

_NOTES = r"(?:(?:all|any|every|each|of|my|our|the|me)\s+)*(?:newest\s+|latest\s+|recent\s+|last\s+)?(?:notes?|memos?)"
_ABOUT = (
    r"(?:about|on|for|with|containing|mentioning|regarding|titled|called|named|"
    r"(?:that|which)\s+(?:mentions?|contains?|says?|talks?\s+about|has|have|are\s+about|is\s+about))"
)


def _read(match: re.Match[str], quotes: Quotes) -> Intent | None:
    return Read(target(match["note"], quotes))


def _search(words: str, quotes: Quotes) -> Intent | None:
    plain = re.sub(r"^(?:my|the|any|a|an)\s+", "", words.strip().rstrip(".!?"), flags=FLAGS)
    plain = re.sub(r"\s+(?:in|from|among)\s+(?:all\s+)?(?:my|the)\s+notes$|\s+notes?$", "", plain, flags=FLAGS)
    query = quotes.restore(plain)
    return Search(query[:QUERY_MAX_CHARACTERS]) if query else None


RULES: list[Rule] = [
    (
        re.compile(
            rf"(?:(?:list|show|display|give|see|view|get|print)\s+{_NOTES}|(?:what|which|how\s+many)\s+(?:\w+\s+)?notes|"
            rf"(?:what\s+are|what's\s+in|what\s+is\s+in)\s+{_NOTES}|{_NOTES})\s+(?:are\s+|i\s+have\s+)?"
            r"(?:tagged(?:\s+(?:with|as))?|with\s+(?:the\s+)?tag)\s+(?P<tag>[^?.!]+)\W*",
            FLAGS,
        ),
        lambda m, q: List((tags(m["tag"], q) or (None,))[0]),
    ),
    (
        re.compile(
            rf"(?:(?:list|show|display|give|see|view|get|print)\s+(?:me\s+)?"
            rf"(?:(?:a\s+list\s+of\s+)?{_NOTES}|all|everything|them all)|"
            r"(?:what|which|how\s+many)\s+(?:\w+\s+)?notes|what\s+(?:do|have)\s+i(?:\s+have|\s+got|\s+written)?|"
            r"(?:what\s+are|what's\s+in|what\s+is\s+in)\s+(?:all\s+)?my\s+notes|(?:all\s+)?(?:of\s+)?(?:my\s+)?notes|"
            r"list|do\s+i\s+have\s+(?:any\s+)?notes)"
            r"(?:\s+(?:do|have|are|exist|i|there|got|you|we|in|here|see|now|currently|right|so|far|written|down))*\W*",
            FLAGS,
        ),
        lambda m, q: List(),
    ),
    (
        re.compile(
            rf"(?:search|find|look(?:\s+up)?|locate|where(?:'s|\s+is|\s+are))(?:\s+(?:for|up|in|through|among))*\s+{_NOTES}"
            rf"(?:\s+{_ABOUT})?\s+(?P<words>.+)",
            FLAGS,
        ),
        lambda m, q: _search(m["words"], q),
    ),
    (
        re.compile(
            rf"(?:do\s+i\s+have|have\s+i(?:\s+got)?|is\s+there|are\s+there|(?:list|show|display)(?:\s+me)?)\s+"
            rf"(?:any\s+|an?\s+|some\s+|all\s+)?(?:of\s+)?(?:my\s+|the\s+)?notes\s+{_ABOUT}\s+(?P<words>.+)"
            + rf"|(?:do\s+i\s+have|have\s+i(?:\s+got)?|is\s+there)\s+an?\s+note\s+{_ABOUT}\s+(?P<words2>.+)",
            FLAGS,
        ),
        lambda m, q: _search(m["words"] or m["words2"], q),
    ),
    (
        re.compile(
            r"(?:which|what)\s+(?:of\s+)?(?:my\s+)?notes?\s+(?:mention|contain|talk\s+about|are\s+about|is\s+about|have|has|say)s?"
            r"\s+(?P<words>.+)|(?:what|where)\s+(?:did|have)\s+i\s+(?:write|note|wrote|written|noted)(?:\s+down)?"
            r"(?:\s+(?:about|on|regarding))?\s+(?P<words2>.+)",
            FLAGS,
        ),
        lambda m, q: _search(m["words"] or m["words2"], q),
    ),
    (
        re.compile(r"(?:search|find|look|locate|where(?:'s|\s+is|\s+are))(?:\s+(?:for|up))?\s+(?P<words>.+)", FLAGS),
        lambda m, q: _search(m["words"], q),
    ),
    # reading
    (
        re.compile(
            r"(?:what\s+does|what\s+do)\s+(?P<note>.+?)\s+(?:say|contain|include|have(?:\s+in\s+it)?|read|look\s+like)\W*",
            FLAGS,
        ),
        _read,
    ),
    (re.compile(r"what(?:'s|\s+is)\s+(?P<note>it|(?:this|that|the|my)\s.*?note.*?)\s+about\W*", FLAGS), _read),
    (
        re.compile(
            r"what(?:'s|\s+is|\s+are|\s+was)\s+(?:written\s+)?(?:in|on|inside|the\s+(?:contents?|text|body)\s+of)\s+(?P<note>.+)",
            FLAGS,
        ),
        _read,
    ),
    (
        re.compile(
            r"(?:read|open|show|display|view|see|print|recite|get|fetch|give)(?:\s+me)?(?:\s+out|\s+aloud|\s+again)?\s+"
            r"(?:(?:what's|what\s+is)\s+(?:in|on)\s+|the\s+(?:contents?|text|body)\s+of\s+)?"
            r"(?P<note>.+?)(?:\s+(?:out|aloud|to\s+me|again|now|out\s+loud))*[.!?]*",
            FLAGS,
        ),
        _read,
    ),
]
