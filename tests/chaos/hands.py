"""A user's changes to notes without the assistant: writes and imports."""

from typing import Any

import httpx

from standalone.testing import until
from tests.chaos.door import Door
from tests.chaos.errands import Expected

FILES = 12
LINES = ("one", "two")
PATIENCE = 60.0


async def write(door: Door) -> list[Expected]:
    """Creates, changes and deletes a note; each write is retried under its idempotency key until it is answered."""
    title = f"Own {door.rng.getrandbits(40):010x}"
    made = await door.ask("POST", "/api/notes", json={"title": title, "body": "one"}, headers=_key(door))
    assert made.status_code == 201, made.text
    path = f"/api/notes/{made.json()['id']}"
    changed = await door.ask("PATCH", path, json={"body": "two"}, headers=_key(door) | {"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    gone = await door.ask("DELETE", path, headers=_key(door))
    assert gone.status_code == 204, gone.text
    return [Expected(title, ("two",), ("create", "update", "delete"))]


async def bring(door: Door) -> list[Expected]:
    """Imports a few files. The upload is retried until it is answered: an import that is repeated changes nothing."""
    batch = f"{door.rng.getrandbits(40):010x}"
    titles = [f"File {batch} {number}" for number in range(FILES)]
    text = "\n".join(LINES)
    files = [("file", (f"{title}.md", text.encode(), "text/markdown")) for title in titles]

    async def upload() -> httpx.Response | None:
        answer = await door.ask("POST", "/api/notes/import", files=files)
        return None if answer.status_code == 429 else answer

    begun = await until("room for an import", upload, PATIENCE)
    assert begun.status_code == 202, begun.text

    async def look() -> dict[str, Any] | None:
        status = (await door.ask("GET", f"/api/notes/imports/{begun.json()['import_id']}")).json()
        return status if status["status"] in ("completed", "failed") else None

    status = await until("an import that has ended", look, PATIENCE)
    description = f"import {batch}: {status}"
    door.troubles.check("lost", (status["status"], status["processed"]) == ("completed", FILES), description)
    door.troubles.check("lost", not status["errors"], description)
    return [Expected(title, LINES, ("create",)) for title in titles]


def _key(door: Door) -> dict[str, str]:
    return {"Idempotency-Key": f"{door.rng.getrandbits(64):x}"}
