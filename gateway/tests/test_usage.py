"""What a user stores, of notes and conversations, beside what they may store."""


async def test_what_is_stored_is_told(ada, agent, nobody, notes_service) -> None:
    note = (await ada.http.post("/api/notes", json={"title": "A", "body": "é"})).json()
    await ada.http.patch(f"/api/notes/{note['id']}", json={"body": "two"})
    await ada.http.post("/api/conversations", json={})
    used = (await ada.http.get("/api/usage")).json()
    assert {name: used[name] for name in ("notes", "bytes", "history_bytes", "conversations")} == {
        "notes": 1,
        "bytes": 4,
        "history_bytes": 3,
        "conversations": 1,
    }
    assert all(used[f"{name}_max"] > 100 for name in ("notes", "bytes", "history_bytes", "conversations"))
    assert (await nobody.get("/api/usage")).status_code == 401


async def test_what_models_were_used_by_day(ada, nobody, agent) -> None:
    told = (await ada.http.get("/api/usage/daily?days=7")).json()
    assert agent.asked_days == 7
    assert told["days"] == [
        {
            **{"day": "2026-11-28", "model": "scripted", "input_tokens": 0, "output_tokens": 0, "requests": 1},
            **{"cost": "0.1", "currency": "EUR"},
        }
    ]
    for days in ("0", "367", "x"):
        assert (await ada.http.get(f"/api/usage/daily?days={days}")).status_code == 422
    assert (await nobody.get("/api/usage/daily")).status_code == 401
