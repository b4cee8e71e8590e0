"""aimock, a model server that others wrote, as a process: both formats, with tools, usage, and its faults."""

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from contracts import chat, notes
from standalone.testing import until

from .people import Person, Serve

ROOT = Path(__file__).resolve().parents[2]
AIMOCK = ROOT / "web" / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
FORMATS = ["chat", "responses"]
USAGE = {"prompt_tokens": 120, "completion_tokens": 8, "total_tokens": 128}
FIXTURES: list[dict[str, Any]] = [
    {"match": {"userMessage": "Who are you?"}, "response": {"content": "I am aimock — ünïcode, 42.", "usage": USAGE}},
    {"match": {"userMessage": "And what else?"}, "response": {"content": "Nothing else."}},
    {
        "match": {"userMessage": "Note milk and bread", "hasToolResult": False},
        "response": {
            "content": "Let me write that down.",
            "toolCalls": [
                {"name": "create_note", "arguments": {"title": "Milk", "body": "2 l, “fresh”"}},
                {"name": "create_note", "arguments": {"title": "Bread"}},
            ],
        },
    },
    {"match": {"userMessage": "Note milk and bread", "hasToolResult": True}, "response": {"content": "Both noted."}},
    {"match": {"userMessage": "Think first"}, "response": {"content": "Forty-two.", "reasoning": "Six by seven."}},
    {
        "match": {"userMessage": "Be busy"},
        "response": {"error": {"message": "Rate limited", "type": "rate_limit_error"}, "status": 429},
    },
    {
        "match": {"userMessage": "Break off"},
        "response": {"content": "one two three four five " * 20},
        "truncateAfterChunks": 9,
        "latency": 20,
    },
]


@pytest.fixture(scope="module")
async def aimock(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[str]:
    """The address of a running one."""
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    node = shutil.which("node", path=path)
    if node is None or not AIMOCK.exists():
        pytest.fail("aimock is not installed: python3 scripts/set_up.py page-packages")
    fixtures = tmp_path_factory.mktemp("aimock") / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": FIXTURES}))
    log = fixtures.with_name("log")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(node, AIMOCK, "--port", "0", "--fixtures", fixtures, "--strict", "--validate-on-load"),
            stdout=output,
            stderr=output,
            start_new_session=True,  # node of a wheel is a child of its wrapper: both have to end
        )
    try:
        yield await until("aimock to listen", lambda: _address(log, process))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        await process.wait()


async def _address(log: Path, process: asyncio.subprocess.Process) -> str | None:
    said = log.read_text()
    assert process.returncode is None, said
    found = re.search(r"listening on (http://[\w.]+:\d+)", said)
    return f"{found[1]}/v1" if found else None


def settings(address: str, api: str) -> dict[str, Any]:
    return {"openai_base_url": address, "openai_api_key": "sk-any", "model": "any-model", "api": api}


@pytest.mark.parametrize("api", FORMATS)
async def test_text_and_the_next_message(serve: Serve, person: Person, aimock: str, api: str) -> None:
    async with serve(**settings(aimock, api)):
        started, received = await person.talk("Who are you?")
        _, again = await person.talk("And what else?", conversation_id=started.conversation_id)
    received.assert_contiguous()
    assert received.text == "I am aimock — ünïcode, 42."
    assert again.text == "Nothing else."
    done = received.of("done")[0]
    assert (done["status"], done["finish_reason"]) == ("completed", "stop")
    assert done["usage"] == {"input_tokens": 120, "output_tokens": 8, "requests": 1}


@pytest.mark.parametrize("api", FORMATS)
async def test_two_calls_and_the_next_message(serve: Serve, person: Person, aimock: str, api: str) -> None:
    async with serve(**settings(aimock, api)):
        started, received = await person.talk("Note milk and bread")
        found = await person.ask(notes.LIST)
        milk = await person.ask(notes.GET, id=next(note.id for note in found.notes if note.title == "Milk"))
        _, again = await person.talk("And what else?", conversation_id=started.conversation_id)
    received.assert_contiguous()
    assert sorted(note.title for note in found.notes) == ["Bread", "Milk"]
    assert milk.body == "2 l, “fresh”"
    assert [message["text"] for message in received.of("message")] == ["Let me write that down.", "Both noted."]
    assert [card["status"] for card in received.of("tool_done")] == ["ok", "ok"]
    assert again.text == "Nothing else."


@pytest.mark.parametrize("api", FORMATS)
async def test_reasoning_is_told_once_and_is_no_text(serve: Serve, person: Person, aimock: str, api: str) -> None:
    async with serve(**settings(aimock, api)):
        started, received = await person.talk("Think first")
        _, again = await person.talk("And what else?", conversation_id=started.conversation_id)
    assert "".join(event["token"] for event in received.of("reasoning")) == "Six by seven."
    assert (received.text, again.text) == ("Forty-two.", "Nothing else.")


@pytest.mark.parametrize("api", FORMATS)
@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        ("Be busy", "rate_limited", ""),
        ("Break off", "model_unavailable", "one two"),
        ("Unknown", "model_unavailable", ""),
    ],
)
async def test_faults_and_the_next_message(
    serve: Serve, person: Person, aimock: str, api: str, message: str, code: str, text: str
) -> None:
    async with serve(**settings(aimock, api)):
        started, received = await person.talk(message)
        talk: chat.Conversation = await person.conversation(started.conversation_id)
        _, again = await person.talk("And what else?", conversation_id=started.conversation_id)
    received.assert_contiguous()
    assert [error["code"] for error in received.of("run_error")] == [code]
    assert received.text.startswith(text)
    assert bool(received.text) == bool(text)
    assert [stored.text for stored in talk.messages[1:]] == ([received.text] if text else [])
    assert again.text == "Nothing else."
