"""A long conversation, stored as if it had been had."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson

from contracts.ids import new_id

ANSWER = "It was **number {number}**, and a fair wind: the boat went on to the next harbour. " * 4
CALLED_EVERY = 10
"""Every so many answers have a tool call."""


async def store_conversation(dsn: str, user_id: str, turns: int) -> tuple[str, list[str]]:
    """So many questions, "Number 0 of 10: …", each with an answer. Returns the conversation's id, and those of its
    messages."""
    conversation_id = new_id()
    began = datetime.now(UTC) - timedelta(days=1)
    messages: list[tuple[object, ...]] = []
    runs: list[tuple[object, ...]] = []
    items: list[tuple[object, ...]] = []
    calls: list[tuple[object, ...]] = []
    head: str | None = None

    def add_item(run_id: str, item: Mapping[str, object]) -> None:
        items.append((conversation_id, len(items) + 1, user_id, run_id, orjson.dumps(item).decode()))

    for number in range(turns):
        run_id, question_id, answer_id = new_id(), new_id(), new_id()
        question, answer = f"Number {number} of {turns}: how far did it go?", ANSWER.format(number=number)
        at = began + timedelta(seconds=number)
        runs.append((run_id, user_id, conversation_id, question_id, at))
        messages.append((question_id, conversation_id, user_id, head, run_id, "user", question, at))
        messages.append((answer_id, conversation_id, user_id, question_id, run_id, "assistant", answer, at))
        add_item(run_id, {"role": "user", "content": question})
        if number % CALLED_EVERY == 0:
            calls.append((run_id, f"call_{number}", user_id, answer_id))
            call = {"type": "function_call", "call_id": f"call_{number}", "name": "list_notes", "arguments": "{}"}
            add_item(run_id, call)
            add_item(run_id, {"type": "function_call_output", "call_id": f"call_{number}", "output": '{"notes":[]}'})
        add_item(run_id, {"role": "assistant", "content": answer})
        head = answer_id
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "chat"})
    try:
        await connection.execute(
            "INSERT INTO conversations (id, user_id, title, head) VALUES ($1, $2, 'A long voyage', $3)",
            *(conversation_id, user_id, head),
        )
        await connection.executemany(
            """
            INSERT INTO runs (id, user_id, username, conversation_id, message_id, status, attempt, model, finish_reason,
              created_at, finished_at, done_at, input_tokens, output_tokens, requests)
            VALUES ($1, $2, 'ada', $3, $4, 'completed', 1, 'local', 'stop', $5, $5, $5, 100, 20, 1)
            """,
            runs,
        )
        await connection.executemany(
            """
            INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'complete', $8)
            """,
            messages,
        )
        await connection.executemany(
            """
            INSERT INTO tool_calls (run_id, call_id, user_id, message_id, name, arguments, status, result, duration_ms)
            VALUES ($1, $2, $3, $4, 'list_notes', '{}', 'ok', '{"notes":[]}', 3)
            """,
            calls,
        )
        await connection.executemany("INSERT INTO session_items VALUES ($1, $2, $3, $4, $5)", items)
        await connection.execute("ANALYZE messages, runs, session_items, tool_calls")
    finally:
        await connection.close()
    return conversation_id, [str(message[0]) for message in messages]
