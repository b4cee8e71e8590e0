"""The sentences of the demo model."""

import html
import re
from collections.abc import Sequence

from demo_model.memory import NoteRef

HELP = """\
I am Inkstream's built-in demo model: I follow simple rules and understand nothing beyond them, but the notes I work \
on are really yours. You can ask me to

- create a note titled Shopping list with milk and eggs
- list my notes, or find my note about eggs
- read my shopping list
- add butter to my shopping list, change milk to oat milk in it, or remove eggs from it
- rename, pin, archive, tag or delete a note
- find my note about eggs and add butter to it
- tell a long story

For a real conversation, set OPENAI_API_KEY or OPENAI_BASE_URL and start Inkstream again."""

UNKNOWN = "I cannot answer that: I am only the built-in demo model, without a real language model behind me.\n\n" + HELP

TALK = {
    "greeting": "Hello! " + HELP,
    "help": HELP,
    "thanks": "You are welcome!",
    "one_at_a_time": "I delete one note at a time, so that nothing goes by mistake. Tell me which one.",
}

SNIPPET_CHARACTERS = 120


def numbered(notes: Sequence[NoteRef]) -> str:
    """A numbered list, so that "the second one" is clear."""
    return "\n".join(f"{place}. {_line(note)}" for place, note in enumerate(notes, 1))


def _line(note: NoteRef) -> str:
    text = " ".join(html.unescape(re.sub(r"</?mark>", "", note.text)).split())
    if len(text) > SNIPPET_CHARACTERS:
        text = text[:SNIPPET_CHARACTERS].rsplit(" ", 1)[0] + " …"
    return f"{note.name}: {text}" if text else note.name


def joined(words: Sequence[str]) -> str:
    """ "milk", "milk and eggs", "milk, eggs and butter", each in quotation marks."""
    quoted = [f"“{word}”" for word in words]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def counted(count: int, noun: str) -> str:
    return f"one {noun}" if count == 1 else f"{count} {noun}s"
