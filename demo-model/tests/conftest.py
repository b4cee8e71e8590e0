"""An in-memory notebook behind function tools of the real ones' names, and talks with the model about it."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner, TResponseInputItem, function_tool
from agents.tool import FunctionTool

from demo_model import DemoModel

Json = dict[str, Any]


@dataclass
class Notebook:
    """`failing` names the tools that report an error instead of doing their work."""

    notes: dict[str, Json] = field(default_factory=dict[str, Json])
    failing: set[str] = field(default_factory=set[str])
    calls: list[str] = field(default_factory=list[str])

    def add(self, title: str, body: str = "", tags: list[str] | None = None) -> str:
        note_id = f"00000000-0000-7000-8000-{len(self.notes) + 1:012}"
        self.notes[note_id] = {"id": note_id, "title": title, "body": body, "tags": tags or [], "version": 1}
        return note_id

    def titles(self) -> list[str]:
        return [note["title"] for note in self.notes.values()]

    def body(self, title: str) -> str:
        return next(note["body"] for note in self.notes.values() if note["title"] == title)

    def begin(self, name: str) -> str | None:
        self.calls.append(name)
        if name in self.failing:
            return json.dumps({"error": {"code": "service_unavailable", "message": "The notes are away."}})
        return None

    def tools(self) -> list[FunctionTool]:
        return [function_tool(tool) for tool in _tools(self)]


def _error(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


def _tools(book: Notebook) -> list[Any]:
    def show(note: Json) -> str:
        return json.dumps(note, ensure_ascii=False)

    def summaries(notes: list[Json], limit: int) -> str:
        heads = [{"id": n["id"], "title": n["title"], "preview": re.sub(r"[-*#\n]+", " ", n["body"])} for n in notes]
        return json.dumps({"notes": heads[:limit]}, ensure_ascii=False)

    async def list_notes(limit: int = 20, tag: str | None = None) -> str:
        return book.begin("list_notes") or summaries(
            [n for n in book.notes.values() if tag is None or tag in n["tags"]], limit
        )

    async def search_notes(query: str, limit: int = 10) -> str:
        words = re.findall(r"\w+", query.casefold())
        found = [n for n in book.notes.values() if all(w in f"{n['title']} {n['body']}".casefold() for w in words)]
        return book.begin("search_notes") or summaries(found, limit)

    async def read_note(note_id: str) -> str:
        return book.begin("read_note") or (
            show(book.notes[note_id]) if note_id in book.notes else _error("not_found", "There is no such note.")
        )

    async def create_note(title: str, body: str = "", tags: list[str] | None = None) -> str:
        return book.begin("create_note") or show(book.notes[book.add(title, body, tags)])

    async def update_note(
        note_id: str,
        title: str | None = None,
        body: str | None = None,
        tags: list[str] | None = None,
        pinned: bool | None = None,
        archived: bool | None = None,
    ) -> str:
        if problem := book.begin("update_note"):
            return problem
        changes = {"title": title, "body": body, "tags": tags, "pinned": pinned, "archived": archived}
        book.notes[note_id].update({key: value for key, value in changes.items() if value is not None})
        return show(book.notes[note_id])

    async def delete_note(note_id: str) -> str:
        return book.begin("delete_note") or show(book.notes.pop(note_id))

    async def edit_note(
        note_id: str, find: str | None = None, replace: str | None = None, append: str | None = None
    ) -> str:
        if problem := book.begin("edit_note"):
            return problem
        note = book.notes[note_id]
        if append is not None:
            note["body"] = f"{note['body']}\n{append}" if note["body"] else append
        elif find is not None:
            count = note["body"].count(find)
            if count != 1:
                return _error("validation_failed", f"The text was found {count} times.")
            note["body"] = note["body"].replace(find, replace or "")
        return show(note)

    return [list_notes, search_notes, read_note, create_note, update_note, delete_note, edit_note]


@dataclass
class Talk:
    """A conversation: what is said is answered over the real runner, with all that was said before."""

    book: Notebook = field(default_factory=Notebook)
    instructions: str = "You are the assistant."
    history: list[TResponseInputItem] = field(default_factory=list[TResponseInputItem])
    events: list[Any] = field(default_factory=list[Any])

    async def say(self, text: str) -> str:
        agent = Agent(
            name="assistant", instructions=self.instructions, model=DemoModel(0), tools=list(self.book.tools())
        )
        self.book.calls.clear()
        self.events.clear()
        run = Runner.run_streamed(
            agent, [*self.history, {"role": "user", "content": text}], run_config=RunConfig(tracing_disabled=True)
        )
        async for event in run.stream_events():
            if event.type == "raw_response_event":
                self.events.append(event.data)
        self.history = run.to_input_list()
        return str(run.final_output)


@pytest.fixture
def talk() -> Talk:
    """A new conversation of a user whose notebook is empty."""
    return Talk()
