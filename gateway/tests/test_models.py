"""The choice of a model over HTTP."""

from contracts import chat
from contracts.errors import ValidationFailed


async def test_the_models_are_told(ada, nobody) -> None:
    told = (await ada.http.get("/api/models")).json()
    assert told["default"] == "scripted"
    assert told["models"] == [
        {
            **{"id": "scripted", "label": "Scripted", "provider": "test"},
            **{"context_window": None, "images": False, "reasoning": ["low", "high"]},
            **{"price_in": None, "price_out": None},
        }
    ]
    assert (await nobody.get("/api/models")).status_code == 401


async def test_the_chosen_model_reaches_the_agent(ada, agent) -> None:
    answer = await ada.http.post("/api/runs", json={"message": "Hi", "model": " scripted "})
    assert answer.status_code == 202
    request = agent.runs[answer.json()["run_id"]].request
    assert isinstance(request, chat.StartRun)
    assert request.model == "scripted"


async def test_a_model_that_is_not_available_is_a_422(ada, agent, monkeypatch) -> None:
    error = {"field": "model", "message": "There is no such model. Available: scripted"}
    monkeypatch.setattr(agent, "refuse_with", ValidationFailed(errors=[error]))
    for path in ("/api/runs", "/api/chat"):
        answer = await ada.http.post(path, json={"message": "Hi", "model": "other"})
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert answer.json()["errors"] == [error]


async def test_a_model_has_a_name(ada) -> None:
    for name in ("", "  ", "x" * 201, "a\0b", 7, ["a"]):
        answer = await ada.http.post("/api/runs", json={"message": "Hi", "model": name})
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


async def test_the_chosen_effort_reaches_the_agent(ada, agent) -> None:
    for body, named in (({"effort": "high"}, True), ({"effort": None}, True), ({}, False)):
        answer = await ada.http.post("/api/runs", json={"message": "Hi", **body})
        request = agent.runs[answer.json()["run_id"]].request
        assert (request.effort, request.names_effort) == (body.get("effort"), named)
