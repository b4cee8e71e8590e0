"""Checks a user's conversations afterwards: each is a tree, and every run is in the place where it was started."""

from collections import defaultdict
from typing import Any

from tests.chaos.person import Person
from tests.chaos.troubles import Troubles


async def judge_branches(db: Any, person: Person, troubles: Troubles) -> None:
    for talk, asks in person.talks.items():
        if not all(reader.done for ask in asks for reader in ask.readers):
            continue
        found = await db.fetch("SELECT id::text, message_id::text FROM chat.runs WHERE conversation_id = $1", talk)
        runs: dict[str, str] = {run["id"]: run["message_id"] for run in found}
        wanted = [ask.run_id for ask in asks]
        troubles.check("repeated", sorted(runs) == sorted(wanted), f"talk {talk}: runs {list(runs)}, not {wanted}")
        messages = await db.fetch(
            """
            SELECT id::text, parent_id::text, role, run_id::text FROM chat.messages
            WHERE conversation_id = $1 ORDER BY seq
            """,
            talk,
        )
        _judge_tree(talk, messages, runs, troubles)
        if wanted and wanted[-1] in runs:
            end = [message["id"] for message in messages if message["run_id"] == wanted[-1]] or [runs[wanted[-1]]]
            await _judge_shown(person, talk, messages, end[-1], troubles)


def _judge_tree(talk: str, messages: list[Any], runs: dict[str, str], troubles: Troubles) -> None:
    """`runs`: the message that each run answers. A run's own messages are a chain that begins there."""
    last = dict(runs)
    for message in messages:
        if message["role"] == "assistant":
            well = message["parent_id"] == last[message["run_id"]]
            troubles.check("lost", well, f"talk {talk}: message {message['id']} is not where it belongs")
            last[message["run_id"]] = message["id"]
    run_ids = [message["run_id"] for message in messages if message["role"] == "user"]
    troubles.check("repeated", len(set(run_ids)) == len(run_ids), f"talk {talk}: duplicate message: {run_ids}")


async def _judge_shown(person: Person, talk: str, messages: list[Any], end: str, troubles: Troubles) -> None:
    """The page shows the branch of the last run, and every version of each of its messages."""
    versions: dict[str | None, list[str]] = defaultdict(list)
    for message in messages:
        versions[message["parent_id"]].append(message["id"])
    shown = (await person.door.ask("GET", f"/api/conversations/{talk}")).json()
    parent: str | None = None
    for message in shown["messages"]:
        expected = versions[parent] if len(versions[parent]) > 1 else []
        beside = message["siblings"]
        troubles.check("lost", beside == expected, f"talk {talk}: {message['id']} is beside {beside}, not {expected}")
        parent = message["id"]
    troubles.check("lost", parent == end, f"talk {talk}: shows the branch of {parent}, not that of {end}")
    troubles.check("stuck", shown["active_run_id"] is None, f"talk {talk}: {shown['active_run_id']} seems to go on")
