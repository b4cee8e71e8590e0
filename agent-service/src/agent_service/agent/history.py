"""What the model is sent of the conversation before the run: whole runs, the newest, and a summary of those before.

Invariant: a message of the branch is sent itself, or is covered by the summary, or comes before `left_out_until`, which
the page shows. It holds because runs only ever go from the front of `runs`, and what becomes of them is stored before
they go. Runs go whole, so that no call loses its output and no question its answer.
"""

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, cast

import orjson

from agent_service.repository import SessionItem, StoredHistory, StoredSummary
from agent_service.token_estimate import estimated_tokens

TOKENS_OF_ITEM = 8
"""What separates messages from each other, in addition to their text."""


@dataclass(frozen=True)
class EarlierRun:
    """`last_message_id`: its last message on the branch. `tokens`: an upper estimate for all items."""

    last_message_id: str
    items: list[dict[str, Any]]
    tokens: int


@dataclass
class History:
    """`runs`: oldest first; `summary`: of what comes before them; `cut_at`: the last message before them that was not
    even read."""

    summary: StoredSummary | None = None
    runs: list[EarlierRun] = field(default_factory=list[EarlierRun])
    cut_at: str | None = None

    @classmethod
    def of(cls, stored: StoredHistory, run_id: str) -> "History":
        past = [item for item in stored.items if item.run_id != run_id]
        return cls(
            stored.summary,
            [run for _, items in groupby(past, lambda item: item.run_id) if (run := _earlier_run(list(items)))],
            stored.cut_at,
        )

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for run in self.runs for item in run.items]

    @property
    def tokens(self) -> int:
        return sum(run.tokens for run in self.runs)

    def that_do_not_fit(self, tokens: int) -> list[EarlierRun]:
        """The oldest runs: without them, the others have `tokens` at most."""
        kept = 0
        for place in range(len(self.runs) - 1, -1, -1):
            kept += self.runs[place].tokens
            if kept > tokens:
                return self.runs[: place + 1]
        return []


def item_tokens(item: dict[str, Any]) -> int:
    """An upper estimate of what the item takes in a request, in whichever format."""
    return TOKENS_OF_ITEM + sum(estimated_tokens(text) for text in item_texts(item))


def item_texts(item: dict[str, Any]) -> list[str]:
    """The texts of an item that a model reads."""
    texts = [item.get(name) for name in ("name", "arguments", "output")]
    texts += [part for name in ("content", "summary") for part in _parts(item.get(name))]
    details = item.get("provider_data")
    if item.get("type") == "reasoning" and details:
        texts.append(orjson.dumps(details).decode())
    return [text for text in texts if isinstance(text, str)]


def portable_item(item: dict[str, Any]) -> dict[str, Any] | None:
    """An item of an earlier run without references to the provider's storage: the model may have changed since."""
    if item.get("type") == "reasoning":
        return item if item.get("provider_data") else None  # what the model's server wants back with its calls
    if item.get("type") == "message":
        text = "".join(_parts(item["content"]))
        return {"role": item["role"], "content": text} if text else None
    return {name: value for name, value in item.items() if name != "id"}


def _earlier_run(stored: list[SessionItem]) -> EarlierRun | None:
    last_message_id = stored[0].last_message_id
    items = [portable for item in stored if (portable := portable_item(item.item)) is not None]
    if last_message_id is None or not items:
        return None
    return EarlierRun(last_message_id, items, sum(item_tokens(item) for item in items))


def _parts(content: Any) -> list[str]:
    """The texts in a message's content or a summary of reasoning: text, or a list of parts."""
    if isinstance(content, str):
        return [content]
    parts = cast(list[Any], content) if isinstance(content, list) else []
    found = [cast(dict[str, Any], part) for part in parts if isinstance(part, dict)]
    return [part.get("text") or part.get("refusal") or "" for part in found]
