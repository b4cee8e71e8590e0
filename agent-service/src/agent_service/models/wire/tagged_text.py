"""Splits a model's streaming text into reasoning, tool calls that are written as text, and the text for the user.

Invariant: the output depends only on the text, never on how it was cut. It holds because text that may be the beginning
of a mark is buffered until the next part, or the end, decides.

A mark counts only at the beginning of a line outside of code: elsewhere the text is about marks.
"""

import re
from collections.abc import Callable, Collection
from itertools import chain

from agent_service.models.wire.text_calls import MARKS, TextCall, may_become_call, text_calls

_THOUGHTS = {
    "<think>": "</think>",
    "<thought>": "</thought>",
    "[THINK]": "[/THINK]",
}
MAX_HELD = 32 * 1024
"""Limit of the characters that are buffered because they may be a call; longer text is a response."""
_MAY_BE_MARK = re.compile(r"[<\[]")


class TaggedText:
    """`text`, `reasoning` and `call` are called with what is found. `tools`: the names that a call written as text may
    have; empty if text is never a call. `parts`: the text for the user so far."""

    def __init__(
        self,
        text: Callable[[str], None],
        reasoning: Callable[[str], None],
        call: Callable[[TextCall], None],
        tools: Collection[str],
    ) -> None:
        self.parts: list[str] = []
        self._text = text
        self._reasoning = reasoning
        self._call = call
        self._tools = tools
        self._openers = (*_THOUGHTS, *(MARKS if tools else ()))
        self._marks = (*self._openers, *_THOUGHTS.values())
        self._held = ""
        self._step = self._before_text
        self._closer: str | None = None
        self._is_plain = False
        self._has_block = False
        """A block was removed: the blank lines after it belong to it."""
        self._thought_has_begun = False

    def feed(self, part: str) -> None:
        if self._is_plain and "<" not in part and "[" not in part:  # nearly every token
            self.parts.append(part)
            self._text(part)
            return
        self._held += part
        while self._step():
            pass
        self._is_plain = self._step == self._in_text and not self._held

    def close(self) -> None:
        """To be called at the end of the text: the buffered rest is interpreted as it is."""
        held, self._held = self._held, ""
        if self._step == self._in_thought:
            self._tell_thought(held)
        elif self._step == self._in_call or (self._step == self._before_text and held.lstrip().startswith("{")):
            self._take_call(held)
        elif held.strip() or self.parts:
            self._tell_text(held)

    def _before_text(self) -> bool:
        """Whether there is no text for the user yet, or only text before a removed block."""
        text = self._held.lstrip()
        if not text:
            return False
        if opener := self._opener_of(text):
            self._enter(opener, text)
            return True
        if self._may_open(text) or (not self.parts and self._tools and self._may_be_bare_call(text)):
            return False
        if self._has_block:
            self._held = text
        self._step = self._in_text
        return True

    def _in_text(self) -> bool:
        for found in _MAY_BE_MARK.finditer(self._held):
            at = found.start()
            if not self._begins_line(at):
                continue
            rest = self._held[at:]
            if mark := next((mark for mark in self._marks if rest.startswith(mark)), None):
                if self._is_in_code(at):
                    continue
                self._tell_text(self._held[:at])
                self._held = rest
                self._enter(mark, rest)
                return True
            if any(mark.startswith(rest) for mark in self._marks):
                self._tell_text(self._held[:at])
                self._held = rest
                return False
        self._tell_text(self._held)
        self._held = ""
        return False

    def _in_thought(self) -> bool:
        assert self._closer is not None
        if not self._thought_has_begun:
            self._held = self._held.lstrip()
            self._thought_has_begun = bool(self._held)
        thought, mark, rest = self._held.partition(self._closer)
        if mark:
            self._tell_thought(thought)
            self._held = rest
            self._leave()
            return True
        keep = next((n for n in range(len(self._closer) - 1, 0, -1) if thought.endswith(self._closer[:n])), 0)
        self._tell_thought(thought[: len(thought) - keep])
        self._held = thought[len(thought) - keep :]
        return False

    def _in_call(self) -> bool:
        end = self._held.find(self._closer) if self._closer else -1
        if end < 0 or end > MAX_HELD:
            if len(self._held) <= MAX_HELD:
                return False
            self._step = self._in_text
            self._tell_text(self._held[:MAX_HELD])
            self._held = self._held[MAX_HELD:]
            return True
        end += len(self._closer or "")
        block, self._held = self._held[:end], self._held[end:]
        self._take_call(block)
        return True

    def _take_call(self, block: str) -> None:
        calls = text_calls(block, self._tools)
        for call in calls:
            self._call(call)
        if calls:
            self._leave()
        else:
            self._step = self._in_text
            self._tell_text(block)

    def _enter(self, mark: str, text: str) -> None:
        """`text` begins with the mark."""
        if mark in MARKS:
            self._held, self._closer, self._step = text, MARKS[mark], self._in_call
        elif mark in _THOUGHTS:
            self._held, self._closer, self._step = text.removeprefix(mark), _THOUGHTS[mark], self._in_thought
            self._thought_has_begun = False
            self._marks = self._openers
        else:  # a closing tag whose opening tag was in the prompt: all of the text so far was reasoning
            self._held = text.removeprefix(mark)
            thought = "".join(self.parts)
            self.parts.clear()
            self._marks = self._openers
            self._tell_thought(thought)
            self._leave()

    def _leave(self) -> None:
        self._has_block = True
        self._step = self._before_text

    def _opener_of(self, text: str) -> str | None:
        return next((mark for mark in self._openers if text.startswith(mark)), None)

    def _may_open(self, text: str) -> bool:
        return any(mark.startswith(text) for mark in self._openers)

    def _may_be_bare_call(self, text: str) -> bool:
        return len(text) <= MAX_HELD and may_become_call(text, self._tools)

    def _begins_line(self, at: int) -> bool:
        for part in chain((self._held[:at],), reversed(self.parts)):
            _, line_end, line = part.rpartition("\n")
            if line.strip():
                return False
            if line_end:
                return True
        return True

    def _is_in_code(self, at: int) -> bool:
        return ("".join(self.parts) + self._held[:at]).count("```") % 2 == 1

    def _tell_text(self, text: str) -> None:
        if text:
            self.parts.append(text)
            self._text(text)

    def _tell_thought(self, text: str) -> None:
        if text:
            self._reasoning(text)
