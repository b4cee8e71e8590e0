"""The next reply from the conversation alone.

A plan is a generator that yields tool calls and is sent their results. Invariant: given the same results it yields the
same calls, so replaying a plan over the results in the conversation leads to the exact point where it stopped. That is
why the model holds no state and any process can continue a turn.
"""

import re
from collections.abc import Collection, Sequence

from demo_model import sentences
from demo_model.history import Turn
from demo_model.intents import Choose, Delete, DeleteMany, Intent, Nth, OnNote, Read, Unknown
from demo_model.memory import Memory
from demo_model.note_lookup import Stuck, WhichOne, plain
from demo_model.parse import aimed, parse
from demo_model.reply import Reply
from demo_model.steps import Step, step

_OPEN_NOTE = re.compile(r"^Open note:\s*([0-9a-fA-F-]{36})\s*$", re.MULTILINE)


def next_reply(instructions: str, turns: Sequence[Turn], tools: Collection[str]) -> Reply:
    """What the model says now: text, or the next tool calls. `tools`: the names of the tools it may call."""
    opened = _OPEN_NOTE.search(instructions)
    memory = Memory(open_note=opened.group(1) if opened else None)
    if not turns:
        return Reply(sentences.HELP)
    for turn in turns[:-1]:
        _play(turn, memory)
    reply = _play(turns[-1], memory)
    missing = sorted({call.name for call in reply.calls} - set(tools))
    if missing:
        return Reply(f"I cannot do that here: I have no tool {sentences.joined(missing)}.")
    return reply


def _play(turn: Turn, memory: Memory) -> Reply:
    """Replays the plan of a turn over the results there are. The reply is the plan's next calls, or its final text."""
    plan = _plan(_intents(turn.text, memory), memory)
    memory.unresolved = ()
    calls = list(turn.calls)
    try:
        wanted = next(plan)
        while True:
            taken, calls = calls[: len(wanted)], calls[len(wanted) :]
            results = tuple(result for _, result in taken if result is not None)
            if len(results) < len(wanted):
                return Reply(calls=wanted)
            for (call, _), result in zip(taken, results, strict=True):
                memory.learn(call, result)
            if [call.name for call, _ in taken] != [call.name for call in wanted]:
                return Reply("Another model began this answer and I cannot go on with it. Please ask me again.")
            wanted = plan.send(results)
    except StopIteration as end:
        return Reply(str(end.value))
    finally:
        for call, result in calls:
            if result is not None:
                memory.learn(call, result)


def _intents(text: str, memory: Memory) -> list[Intent]:
    """The request's intents. A reply to "which one?" becomes the request that led to the question, with its note."""
    intents = parse(text)
    chosen = intents[0].target if isinstance(intents[0], Choose) else None
    if chosen is None and isinstance(intents[0], Unknown) and memory.unresolved:
        titles = [plain(note.title) for note in memory.listed]
        chosen = Nth(titles.index(plain(text)) + 1) if titles.count(plain(text)) == 1 else None
    if chosen is None:
        return intents
    unresolved = list(memory.unresolved)
    if unresolved and isinstance(unresolved[0], DeleteMany):
        unresolved[0] = Delete(chosen)
    if unresolved and isinstance(unresolved[0], OnNote):
        return [aimed(unresolved[0], chosen), *unresolved[1:]]
    return [Read(chosen)]


def _plan(intents: Sequence[Intent], memory: Memory) -> Step:
    said: list[str] = []
    for place, intent in enumerate(intents):
        try:
            said.append((yield from step(intent, memory)))
        except Stuck as stuck:
            if isinstance(stuck, WhichOne):
                memory.listed, memory.unresolved = stuck.candidates, intents[place:]
            said.append(str(stuck))
            if intents[place + 1 :]:
                said.append("I did nothing further.")
            break
    return "\n\n".join(said)
