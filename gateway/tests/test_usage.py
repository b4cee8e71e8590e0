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
