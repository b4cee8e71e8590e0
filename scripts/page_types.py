"""Makes the page's types from the contracts: the wire's shapes are written down once. `--check` only compares."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from contracts import chat, note_history, notes, run_events, user_events

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "web" / "src" / "api" / "generated" / "contracts.ts"
BANNER = "/* Made from the contracts by `make types`: change those, not this. */"

READ: list[type[BaseModel]] = [
    *(notes.Note, notes.NotePage, notes.SearchResults, notes.ChangeFeed),
    *(note_history.Revision, note_history.RevisionPage, note_history.UndoneRun),
    *(chat.ModelStatus, chat.Conversation, chat.ConversationPage, chat.Run, chat.RunStarted),
    *(user_events.NoteChanged, user_events.RunChanged, user_events.ConversationChanged),
    *run_events.RunEvent.__subclasses__(),
]
"""What the page reads; what these consist of comes along."""
JSON_VALUE = "null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }"


class AsAnswered(GenerateJsonSchema):
    """As the services write it: a field with a default is there, unless it is null."""

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


def main() -> int:
    made = types()
    if "--check" in sys.argv:
        if OUTPUT.read_text() != made:
            print("web/src/api/generated/contracts.ts is not what the contracts say: make types", file=sys.stderr)
            return 1
        return 0
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(made)
    return 0


sys.exit(main())
