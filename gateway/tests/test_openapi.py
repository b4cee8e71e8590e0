"""The OpenAPI document is accurate, and no request, valid or invalid by it, makes the gateway fail."""

import asyncio

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.main import create_app
from gateway.settings import Settings

pytestmark = pytest.mark.usefixtures("notes_service")

ENDS_THE_SESSION = {"/api/auth/logout", "/api/auth/password"}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 10

DOCUMENT = create_app(Settings(database_url="postgresql://nowhere")).openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [
    (method.upper(), path, mode)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    for mode in GenerationMode
    if path not in ENDS_THE_SESSION
    and (mode.is_positive or {"parameters", "requestBody"} & operation.keys())  # otherwise no request is invalid
]


@pytest.mark.parametrize(("method", "path", "mode"), OPERATIONS)
async def test_whatever_is_asked_is_answered_as_described(
    gateway: str, ada, agent, method: str, path: str, mode: GenerationMode
) -> None:
    agent.on_start = agent.whole
    headers = {"Cookie": f"inkstream_session={ada.cookie}"}

    @settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(SCHEMA[path][method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=gateway, headers=headers, checks=CHECKS)

    await asyncio.to_thread(ask)


def test_every_error_is_a_problem() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and path != "/readyz":
                    assert list(response["content"]) == ["application/problem+json"], (path, status)


def test_the_streams_are_described_as_streams() -> None:
    for path, method in (("/api/chat", "post"), ("/api/runs/{id}/events", "get")):
        answer = DOCUMENT["paths"][path][method]["responses"]["200"]
        assert list(answer["content"]) == ["text/event-stream"]
    assert DOCUMENT["openapi"].startswith("3.1")
