"""The OpenAPI document: FastAPI's, with problem+json in place of its own error schemas."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.accounts.dependencies import SESSION_COOKIE
from gateway.problems import Problem

DESCRIPTION = (
    "Notes with an assistant that reads and changes them. Errors are `application/problem+json` with a `code`."
)
WITHOUT_SESSION = ("/api/auth/register", "/api/auth/login", "/api/instance")
"""The API's routes that need no session."""


def describe(app: FastAPI) -> None:
    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
    components["securitySchemes"] = {"session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE}}
    for path, operations in document["paths"].items():
        if path.startswith("/api/") and path not in WITHOUT_SESSION:
            for operation in operations.values():
                operation["security"] = [{"session": []}]
    return document
