"""User settings and their effect, and what users allow the assistant to do."""

import asyncio

import orjson
import pytest
import websockets

from contracts.ids import new_id
from contracts.run_events import CallWaiting
from standalone.testing import SLOW_SECONDS

DEFAULTS = {"approval": "destructive", "instructions": "", "theme": "system"}


async def test_settings_have_defaults_and_are_changed_one_by_one(ada, bob) -> None:
    assert (await ada.http.get("/api/settings")).json() == DEFAULTS
    answer = await ada.http.patch("/api/settings", json={"theme": "dark"})
    assert answer.json() == DEFAULTS | {"theme": "dark"}
    answer = await ada.http.patch("/api/settings", json={"approval": "never", "instructions": "Be brief."})
    wanted = {"approval": "never", "instructions": "Be brief.", "theme": "dark"}
    assert answer.json() == wanted
    assert (await ada.http.patch("/api/settings", json={"instructions": ""})).json()["instructions"] == ""
    assert (await bob.http.get("/api/settings")).json() == DEFAULTS


@pytest.mark.parametrize(
    "body",
    [{}, {"approval": "sometimes"}, {"theme": None}, {"instructions": "x" * 8001}, {"instructions": "a\0b"}, [], "x"],
)
async def test_senseless_settings_are_refused(ada, body) -> None:
    answer = await ada.http.patch("/api/settings", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert (await ada.http.get("/api/settings")).json() == DEFAULTS


async def test_settings_need_a_session(nobody) -> None:
    assert (await nobody.get("/api/settings")).status_code == 401
    assert (await nobody.patch("/api/settings", json={"theme": "dark"})).status_code == 401


@pytest.mark.usefixtures("notes_service")
async def test_the_other_tabs_hear_of_it(ada, gateway: str) -> None:
    address = gateway.replace("http", "ws") + "/ws"
    async with websockets.connect(address, additional_headers={"Cookie": f"inkstream_session={ada.cookie}"}) as tab:
        assert orjson.loads(await tab.recv())["type"] == "hello"
        await ada.http.patch("/api/settings", json={"theme": "dark"})
        assert orjson.loads(await asyncio.wait_for(tab.recv(), SLOW_SECONDS)) == {"type": "settings_changed"}


async def test_a_run_is_told_the_settings(ada, agent) -> None:
    await ada.http.patch("/api/settings", json={"approval": "always", "instructions": "Be brief."})
    run_id = (await ada.http.post("/api/runs", json={"message": "hello"})).json()["run_id"]
    assert (agent.runs[run_id].request.approval, agent.runs[run_id].request.instructions) == ("always", "Be brief.")


async def test_decisions_reach_the_agent(ada, bob, agent) -> None:
    run = agent.new_run(ada.id)
    run.status = "waiting"
    run.pending = [CallWaiting(call_id="c1", name="delete_note", arguments={"note_id": "x"})]
    path = f"/api/runs/{run.id}"
    assert (await ada.http.get(path)).json()["pending"] == [run.pending[0].model_dump()]
    decision = {"call_id": "c1", "approve": True, "remember": "conversation"}
    assert (await bob.http.post(f"{path}/decisions", json={"decisions": [decision]})).status_code == 404
    answer = await ada.http.post(f"{path}/decisions", json={"decisions": [decision]})
    assert (answer.status_code, answer.json()["id"]) == (202, run.id)
    assert [one.model_dump(exclude_none=True) for one in run.decided] == [decision]


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"decisions": []}, {"decisions": [{"call_id": "c1"}]}),
        {"decisions": [{"call_id": "c1", "approve": True, "remember": "for ever"}]},
        {"decisions": [{"call_id": "c1", "approve": False, "reason": "x" * 2001}]},
    ],
)
async def test_senseless_decisions_are_refused(ada, body) -> None:
    answer = await ada.http.post(f"/api/runs/{new_id()}/decisions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
