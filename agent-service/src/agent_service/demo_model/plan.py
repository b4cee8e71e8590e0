"""The next answer from the conversation alone: the plan for the last request, replayed over what is done of it."""

import re
from collections.abc import Collection, Sequence

from agent_service.demo_model import say
from agent_service.demo_model.answer import Answer
from agent_service.demo_model.find import Stuck, WhichOne, plain
from agent_service.demo_model.history import Turn
from agent_service.demo_model.intents import Choose, Delete, DeleteMany, Intent, Nth, OnNote, Read, Unknown
from agent_service.demo_model.memory import Memory
from agent_service.demo_model.parse import aimed, parse
from agent_service.demo_model.steps import Step, step

_OPEN_NOTE = re.compile(r"^Open note:\s*([0-9a-fA-F-]{36})\s*$", re.MULTILINE)


def next_answer(instructions: str, turns: Sequence[Turn], tools: Collection[str]) -> Answer:
    """What the model answers now: text, or the next tool calls. `tools` are the names of those it may call."""
    opened = _OPEN_NOTE.search(instructions)
    memory = Memory(open_note=opened.group(1) if opened else None)
    if not turns:
        return Answer(say.HELP)
    for turn in turns[:-1]:
        _play(turn, memory)
    answer = _play(turns[-1], memory)
    missing = sorted({call.name for call in answer.calls} - set(tools))
    if missing:
        return Answer(f"I cannot do that here: I have no tool {say.joined(missing)}.")
    return answer


def _play(turn: Turn, memory: Memory) -> Answer:
    """Runs the plan of a turn over the results it has; the answer is what the plan wants next, or says at its end."""
    plan = _plan(_intents(turn.text, memory), memory)
    memory.question = ()
    calls = list(turn.calls)
    try:
        wanted = next(plan)
        while True:
            taken, calls = calls[: len(wanted)], calls[len(wanted) :]
            results = tuple(result for _, result in taken if result is not None)
            if len(results) < len(wanted):
                return Answer(calls=wanted)
            for (call, _), result in zip(taken, results, strict=True):
                memory.learn(call, result)
            if [call.name for call, _ in taken] != [call.name for call in wanted]:
                return Answer("Another model began this answer and I cannot go on with it. Please ask me again.")
            wanted = plan.send(results)
    except StopIteration as end:
        return Answer(str(end.value))
    finally:
        for call, result in calls:
            if result is not None:
                memory.learn(call, result)


def _intents(text: str, memory: Memory) -> list[Intent]:
    """The request's intents; an answer to "which one?" becomes the request that led to the question, now aimed."""
    intents = parse(text)
    chosen = intents[0].target if isinstance(intents[0], Choose) else None
    if chosen is None and isinstance(intents[0], Unknown) and memory.question:
        titles = [plain(note.title) for note in memory.listed]
        chosen = Nth(titles.index(plain(text)) + 1) if titles.count(plain(text)) == 1 else None
    if chosen is None:
        return intents
    asked = list(memory.question)
    if asked and isinstance(asked[0], DeleteMany):
        asked[0] = Delete(chosen)
    if asked and isinstance(asked[0], OnNote):
        return [aimed(asked[0], chosen), *asked[1:]]
    return [Read(chosen)]


def _plan(intents: Sequence[Intent], memory: Memory) -> Step:
    said: list[str] = []
    for place, intent in enumerate(intents):
        try:
            said.append((yield from step(intent, memory)))
        except Stuck as stuck:
            if isinstance(stuck, WhichOne):
                memory.listed, memory.question = stuck.candidates, intents[place:]
            said.append(str(stuck))
            if intents[place + 1 :]:
                said.append("I did nothing further.")
            break
    return "\n\n".join(said)
