"""How each intent is carried out: which tools are called, in which order, and what the model says afterwards.

A step is a generator: it yields tool calls, is sent their results, and returns what to say. It must depend on nothing
but those results: see `plan`.
"""

from collections.abc import Generator

from contracts.tools import (
    CREATE_NOTE,
    DELETE_NOTE,
    EDIT_NOTE,
    LIST_MAX,
    LIST_NOTES,
    READ_NOTE,
    SEARCH_NOTES,
    UPDATE_NOTE,
)
from demo_model import sentences
from demo_model.intents import (
    Append,
    Create,
    CreateMany,
    Delete,
    DeleteMany,
    Intent,
    List,
    Mark,
    Read,
    Remove,
    Rename,
    Replace,
    Search,
    SetBody,
    Story,
    Tag,
    Talk,
)
from demo_model.lines import has_bullets, occurrences, removal, replacement
from demo_model.memory import Memory, NoteRef, refs
from demo_model.note_lookup import SEARCH_LIMIT, Calls, Results, Stuck, call, find, must
from demo_model.reply import ToolCall
from demo_model.rules_create import bullets, lists_things
from demo_model.story import story

Step = Generator[Calls, Results, str]


def step(intent: Intent, memory: Memory) -> Step:  # noqa: PLR0911, PLR0912 (one case an intent)
    match intent:
        case Create():
            return _create(intent)
        case CreateMany():
            return _create_many(intent)
        case List():
            return _list(intent)
        case Search():
            return _search(intent)
        case Read():
            return _read(intent, memory)
        case Append():
            return _append(intent, memory)
        case Replace() | Remove():
            return _edit(intent, memory)
        case Rename() | SetBody() | Mark():
            return _update(intent, memory)
        case Tag():
            return _tag(intent, memory)
        case Delete():
            return _delete(intent, memory)
        case DeleteMany():
            return _delete_many(intent, memory)
        case Story():
            return _say(story(intent.topic, intent.words))
        case Talk():
            return _say(sentences.TALK[intent.kind])
        case _:
            return _say(sentences.UNKNOWN)


def _say(text: str) -> Step:
    yield from ()
    return text


def _create(intent: Create) -> Step:
    if intent.title is None:
        raise Stuck("What shall the note be called? For example: create a note titled Shopping list with milk and eggs")
    body, tags = intent.body or None, list(intent.tags) or None
    created = yield from call(CREATE_NOTE, title=intent.title, body=body, tags=tags)
    must(created, f"create “{intent.title}”")
    return f"I created the note “{intent.title}”" + (f" with:\n\n{intent.body}" if intent.body else ".")


def _create_many(intent: CreateMany) -> Step:
    results = yield tuple(ToolCall(CREATE_NOTE.name, {"title": title}) for title in intent.titles)
    done = [title for title, result in zip(intent.titles, results, strict=False) if result.error is None]
    failed = [
        f"I could not create “{title}”: {result.error}"
        for title, result in zip(intent.titles, results, strict=False)
        if result.error is not None
    ]
    created = [f"I created {sentences.counted(len(done), 'note')}: {sentences.joined(done)}."] if done else []
    return "\n\n".join([*created, *failed])


def _list(intent: List) -> Step:
    found = refs(must((yield from call(LIST_NOTES, limit=LIST_MAX, tag=intent.tag)), "list your notes"))
    tagged = f" tagged “{intent.tag}”" if intent.tag else ""
    if not found:
        return f"You have no notes{tagged} yet." if not tagged else f"You have no notes{tagged}."
    if len(found) >= LIST_MAX:
        return f"Here are your first {LIST_MAX} notes{tagged}:\n\n{sentences.numbered(found)}"
    return f"You have {sentences.counted(len(found), 'note')}{tagged}:\n\n{sentences.numbered(found)}"


def _search(intent: Search) -> Step:
    result = yield from call(SEARCH_NOTES, query=intent.query, limit=SEARCH_LIMIT)
    found = refs(must(result, "search your notes"))
    if not found:
        return f"I found no note about “{intent.query}”."
    return f"I found {sentences.counted(len(found), 'note')} about “{intent.query}”:\n\n{sentences.numbered(found)}"


def _read(intent: Read, memory: Memory) -> Step:
    note = yield from find(intent.target, memory, "read")
    result = must((yield from call(READ_NOTE, note_id=note.id)), f"read {note.name}")
    title, body = str(result.data.get("title") or note.title), str(result.data.get("body") or "")
    return f"**{title}**\n\n{body}" if body.strip() else f"The note “{title}” is empty."


def _append(intent: Append, memory: Memory) -> Step:
    note = yield from find(intent.target, memory, "change")
    listed = has_bullets(note.text) or lists_things(note.title)
    text = bullets(intent.items) if listed else "\n".join(intent.items)
    must((yield from call(EDIT_NOTE, note_id=note.id, append=text)), f"change {note.name}")
    return f"I added {sentences.joined(intent.items)} to {_name(note, memory)}."


def _edit(intent: Replace | Remove, memory: Memory) -> Step:
    """Tries the words as given first; if the note does not contain them so, reads it and searches more loosely."""
    note = yield from find(intent.target, memory, "change")
    old = intent.old if isinstance(intent, Replace) else intent.text
    if isinstance(intent, Replace):
        result = yield from call(EDIT_NOTE, note_id=note.id, find=old, replace=intent.new)
        if result.error is None:
            return f"I changed “{old}” to “{intent.new}” in {_name(note, memory)}."
    read = must((yield from call(READ_NOTE, note_id=note.id)), f"change {note.name}")
    name, body = _name(note, memory), str(read.data.get("body") or "")
    edit = replacement(body, old, intent.new) if isinstance(intent, Replace) else removal(body, old)
    if edit is None:
        count = occurrences(body, old)
        if count:
            raise Stuck(f"“{old}” stands {count} times in {name}, so I changed nothing. Tell me the whole line.")
        raise Stuck(f"“{old}” does not stand in {name}, so I changed nothing.")
    result = yield from call(EDIT_NOTE, note_id=note.id, find=edit.find, replace=edit.replace)
    must(result, f"change {name}")
    return (
        f"I changed “{old}” to “{intent.new}” in {name}."
        if isinstance(intent, Replace)
        else (f"I removed “{old}” from {name}.")
    )


def _update(intent: Rename | SetBody | Mark, memory: Memory) -> Step:
    note = yield from find(intent.target, memory, "replace" if isinstance(intent, SetBody) else "change")
    if isinstance(intent, SetBody) or not memory.knows(note.id):
        must((yield from call(READ_NOTE, note_id=note.id)), f"change {note.name}")
    before = note.name
    match intent:
        case Rename(title=title):
            changes, did, what = {"title": title}, f"I renamed {before} to “{title}”.", f"rename {before}"
        case SetBody(body=body):
            changes, did, what = {"body": body}, f"I wrote the text of {before} anew.", f"change {before}"
        case Mark(field=field, value=value):
            verb = {"pinned": "pin", "archived": "archive"}[field]
            verb = verb if value else f"un{verb}"
            past = verb.replace("pin", "pinned").replace("archive", "archived")
            changes, did, what = {field: value}, f"I {past} {before}.", f"{verb} {before}"
    must((yield from call(UPDATE_NOTE, note_id=note.id, **changes)), what)
    return did


def _tag(intent: Tag, memory: Memory) -> Step:
    note = yield from find(intent.target, memory, "change")
    read = must((yield from call(READ_NOTE, note_id=note.id)), f"tag {note.name}")
    before = read.strings("tags")
    others = [tag for tag in before if tag not in intent.tags]
    tags = [*others, *intent.tags] if intent.add else others
    must((yield from call(UPDATE_NOTE, note_id=note.id, tags=tags)), f"tag {note.name}")
    name = _name(note, memory)
    return (
        f"I tagged {name} with {sentences.joined(intent.tags)}."
        if intent.add
        else (f"I took {sentences.joined(intent.tags)} off {name}.")
    )


def _delete(intent: Delete, memory: Memory) -> Step:
    note = yield from find(intent.target, memory, "replace")
    if not memory.knows(note.id):
        must((yield from call(READ_NOTE, note_id=note.id)), f"delete {note.name}")
    result = must((yield from call(DELETE_NOTE, note_id=note.id)), f"delete {note.name}")
    title = str(result.data.get("title") or note.title)
    return f"I moved {NoteRef(note.id, title).name} to the trash."


def _delete_many(intent: DeleteMany, memory: Memory) -> Step:
    """Deletes the notes found before the first ambiguous one."""
    notes: list[NoteRef] = []
    problem: Stuck | None = None
    for target in intent.targets:
        try:
            notes.append((yield from find(target, memory, "replace")))
        except Stuck as stuck:
            problem = stuck
            break
    said: list[str] = []
    if notes:
        results = yield tuple(ToolCall(DELETE_NOTE.name, {"note_id": note.id}) for note in notes)
        outcomes = list(zip(notes, results, strict=True))
        done = [str(result.data.get("title") or note.title) for note, result in outcomes if result.error is None]
        said += [f"I moved {sentences.joined(done)} to the trash."] if done else []
        said += [f"I could not delete {note.name}: {result.error}" for note, result in outcomes if result.error]
    if problem:
        problem.args = ("\n\n".join([*said, str(problem)]),)
        raise problem
    return "\n\n".join(said)


def _name(note: NoteRef, memory: Memory) -> str:
    """The note's name; that of the open note is unknown until a tool returns it."""
    return memory.last.name if memory.last and memory.last.id == note.id else note.name
