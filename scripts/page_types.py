"""Generates the page's copies of the contracts: types, limits, and the registry of tools. `--check` only compares."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from contracts import chat, note_history, notes, run_events, tools, user_events
from gateway.accounts import models as accounts
from gateway.live import websocket
from gateway.usage import StorageUsage

ROOT = Path(__file__).resolve().parents[1]
GENERATED = ROOT / "web" / "src" / "api" / "generated"
BANNER = "/* Made from the contracts by `make types`: change those, not this. */"

READ: list[type[BaseModel]] = [
    *(
        notes.Note,
        notes.NoteContent,
        notes.NotePage,
        notes.SearchResults,
        notes.ChangeFeed,
        notes.TagCounts,
        notes.EmptiedTrash,
    ),
    *(note_history.Revision, note_history.RevisionPage, note_history.UndoneRun),
    *(chat.ModelStatus, chat.AvailableModels),
    *(chat.Conversation, chat.ConversationPage, chat.Run, chat.RunStarted, chat.RunRestarted),
    *(user_events.NoteChanged, user_events.RunChanged, user_events.ConversationChanged),
    *run_events.RunEvent.__subclasses__(),
    tools.ToolLabels,
    *(StorageUsage, chat.DailyUsage),
    *(accounts.Instance, accounts.SignedInDevices),
]
"""The types that the page reads; the types of their fields are included automatically."""
LIMITS = {
    notes: ["TITLE_MAX_CHARACTERS", "TAGS_MAX", "TAG_MAX_CHARACTERS", "PREVIEW_CHARACTERS", "TRASH_RETENTION_DAYS"],
    chat: [
        *("MESSAGE_MAX_CHARACTERS", "CONVERSATION_TITLE_MAX_CHARACTERS", "INSTRUCTIONS_MAX_CHARACTERS"),
        *("REASON_MAX_CHARACTERS", "SUMMARY_MAX_CHARACTERS"),
    ],
    accounts: [
        "USERNAME_MIN_CHARACTERS",
        "USERNAME_MAX_CHARACTERS",
        "PASSWORD_MIN_CHARACTERS",
        "PASSWORD_MAX_CHARACTERS",
    ],
    websocket: ["NOT_SIGNED_IN"],
}
"""The limits that the page needs, by the module that defines them under the same names."""
JSON_VALUE = "null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }"


class AsAnswered(GenerateJsonSchema):
    """Serialised as the services do it: a field with a default is required, unless it is nullable."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        schema = field["schema"]
        given = schema["type"] == "default" and schema["schema"]["type"] != "nullable"
        return given or super().field_is_required(field, total)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # each would become a type of its own


def schema() -> dict[str, Any]:
    _, found = models_json_schema(
        [(model, "serialization") for model in READ],
        ref_template="#/definitions/{model}",
        schema_generator=AsAnswered,
    )
    definitions = found["$defs"] | {"JsonValue": {"tsType": JSON_VALUE}}
    return {"title": "Contracts", "type": "object", "properties": {}, "definitions": definitions}


def types() -> str:
    made = subprocess.run(
        [
            *(sys.executable, ROOT / "scripts" / "npm.py", "exec", "--", "json2ts"),
            *("--unreachableDefinitions", "--additionalProperties=false", f"--bannerComment={BANNER}"),
        ],
        input=json.dumps(schema()),
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout


def limits() -> str:
    lines = [f"export const {name} = {getattr(module, name)};" for module, names in LIMITS.items() for name in names]
    return "\n".join([BANNER, "", *lines, ""])


def tool_registry() -> str:
    """The page's part of the tool registry: each tool's effect and labels."""
    entries = {tool.name: {"effect": tool.effect, "labels": tool.labels.model_dump()} for tool in tools.TOOLS.values()}
    effects = " | ".join(json.dumps(effect) for effect in get_args(tools.ToolEffect))
    return f"""\
{BANNER}

import type {{ ToolLabels }} from "./contracts.ts";

export type ToolEffect = {effects};
export interface Tool {{
  effect: ToolEffect;
  labels: ToolLabels;
}}

export const TOOLS = {json.dumps(entries, indent=2, ensure_ascii=False)} as const satisfies Record<string, Tool>;
export type ToolName = keyof typeof TOOLS;
"""


def main() -> int:
    generated = {"contracts.ts": types(), "limits.ts": limits(), "tools.ts": tool_registry()}
    if "--check" in sys.argv:
        stale = [name for name, text in generated.items() if _read(GENERATED / name) != text]
        for name in stale:
            print(f"web/src/api/generated/{name} is not what the contracts say: make types", file=sys.stderr)
        return len(stale)
    GENERATED.mkdir(exist_ok=True)
    for name, text in generated.items():
        (GENERATED / name).write_text(text)
    return 0


def _read(file: Path) -> str | None:
    return file.read_text() if file.exists() else None


sys.exit(main())
