"""The checks on every request (origin, size, form), and the headers of every answer."""

import asyncio

import pytest

from .test_accounts import assert_problem


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1.evil.example"},
    ],
)
async def test_what_another_site_asks_for_is_refused(ada, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/api/notes"), ("DELETE", "/api/notes/0"), ("POST", "/api/auth/login")):
        answer = await ada.http.request(method, path, json={"title": "forged"}, headers=headers)
        assert_problem(answer, 403, "forbidden")


async def test_our_own_page_may_ask(ada, gateway: str) -> None:
    for headers in ({"Origin": gateway}, {"Sec-Fetch-Site": "same-origin", "Origin": gateway}):
        answer = await ada.http.post("/api/conversations", json={}, headers=headers)
        assert answer.status_code == 201


async def test_following_a_link_from_elsewhere_is_reading(ada) -> None:
    assert (await ada.http.get("/api/auth/me", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def test_a_large_body_is_refused_before_it_is_read(ada) -> None:
    answer = await ada.http.post("/api/chat", content=b"x" * (2 * 1024 * 1024 + 1))
    assert_problem(answer, 413, "payload_too_large")


async def test_a_large_body_of_unknown_length_is_refused(ada) -> None:
    async def chunks():
        for _ in range(40):
            yield b"x" * 65_536

    answer = await ada.http.post("/api/chat", content=chunks(), headers={"Content-Type": "application/json"})
    assert_problem(answer, 413, "payload_too_large")


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"null", "application/json"),
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b'{"message": "\xff"}', "application/json"),
        (b'{"message": "\\ud800"}', "application/json"),
        (b'{"message": "a\\u0000b"}', "application/json"),
        (b'{"message": "   "}', "application/json"),
        (b'{"message": 1e999}', "application/json"),
        (b'{"message": NaN}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"\\ud800": 1}', "application/json"),
        (b'{"message": "hello"}', "text/plain"),
        (b'{"message": "hello"}', "application/xml"),
        (b"message=hello", "application/x-www-form-urlencoded"),
        (b'{"message": "hello"}', ""),
    ],
)
async def test_a_senseless_body_is_the_clients_fault(ada, content: bytes, content_type: str) -> None:
    answer = await ada.http.post("/api/chat", content=content, headers={"Content-Type": content_type})
    problem = assert_problem(answer, 422, "validation_failed")
    assert all(error["field"] and error["message"] for error in problem["errors"])


@pytest.mark.parametrize(
    "path",
    [
        "/api/runs/0",
        "/api/runs/%00",
        "/api/runs/01A1F7FE-754D-75B5-8540-B7CE969DB343",
        "/api/conversations/not-a-uuid",
        "/api/conversations?limit=0",
        "/api/conversations?limit=9999999999999999999999999",
        "/api/conversations?limit=x",
        "/api/conversations?q=%00",
        "/api/notes/%F0%28%8C%28",
        "/api/notes/search",
        "/api/notes/search?q=",
        "/api/notes/search?q=%00",
        "/api/notes?sort=size",
        "/api/notes?archived=maybe",
        "/api/notes/changes?since=-1",
        "/api/notes/changes?since=99999999999999999999",
        "/api/notes/changes?since=x",
        "/api/runs/01a1f7fe-754d-75b5-8540-b7ce969db343/events?after=-1",
    ],
)
async def test_a_senseless_address_is_the_clients_fault(ada, path: str) -> None:
    assert_problem(await ada.http.get(path), 422, "validation_failed")


async def test_what_is_not_there_is_a_problem_too(ada) -> None:
    assert_problem(await ada.http.get("/api/nothing"), 404, "not_found")
    assert_problem(await ada.http.post("/api/nothing"), 404, "not_found")
    assert_problem(await ada.http.get("/nothing/at/all"), 404, "not_found")
    answer = await ada.http.put("/api/notes")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


async def test_every_answer_carries_safe_headers(ada, nobody) -> None:
    for answer in (await ada.http.get("/api/auth/me"), await nobody.get("/api/auth/me"), await nobody.get("/")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"]
    assert (await ada.http.get("/api/auth/me")).headers["cache-control"] == "no-store"


async def test_without_a_session_nothing_is_answered(nobody) -> None:
    document = (await nobody.get("/openapi.json")).json()
    requests = [
        (method, path.replace("{id}", "0"))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "security" in operation
    ]
    assert len(requests) > 15
    answers = await asyncio.gather(*(nobody.request(method, path) for method, path in requests))
    for answer in answers:
        assert_problem(answer, 401, "auth_required")


async def test_the_page_is_missing_in_plain_words(nobody) -> None:
    for path in ("/", "/chat", "/notes/01a1f7fe-754d-75b5-8540-b7ce969db343"):
        answer = await nobody.get(path)
        assert answer.status_code == 404
        assert "has not been built" in answer.text
