"""Errors as problem+json (RFC 9457): domain errors, requests that FastAPI rejects, unexpected exceptions."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from contracts.errors import DomainError, NotFound, PayloadTooLarge, ValidationFailed

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """`code` is for programs and never changes; `detail` is for people. Some codes add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str


def problem(error: DomainError) -> Response:
    headers = {"Cache-Control": "no-store"}
    if "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    return _response(error.status, error.code, error.message, error.details, headers)


def rejected(
    status: int, detail: str | None = None, headers: Mapping[str, str] | None = None, *, code: str | None = None
) -> Response:
    """The problem for a request that no route has seen; its code is the status in words. `code`: for a status whose
    words differ between versions of Python."""
    phrase = HTTPStatus(status).phrase
    code = code or phrase.lower().replace(" ", "_")
    return _response(status, code, detail or f"{phrase}.", {}, dict(headers or {}))


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """A route's `responses`: the problems it may answer with, beside those that any may."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in sorted({*statuses, 413, 422, 503})
    }


def register(app: FastAPI) -> None:
    app.add_exception_handler(DomainError, _domain)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)


async def _domain(_: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return problem(error)


async def _validation(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"field": _field(e["loc"]), "message": e["msg"].removeprefix("Value error, ")} for e in error.errors()]
    return problem(ValidationFailed(errors=errors))


async def _http(request: Request, error: Exception) -> Response:
    """Requests that the framework rejects: unknown route, wrong method, unreadable body."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem(NotFound())
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem(PayloadTooLarge())
    if error.status_code == HTTPStatus.BAD_REQUEST:
        is_upload = request.headers.get("content-type", "").startswith("multipart/")
        message = f"Not readable as {'an upload of files' if is_upload else 'JSON in UTF-8'}"
        return problem(ValidationFailed(errors=[{"field": "body", "message": message}]))
    return rejected(error.status_code, headers=error.headers)


def _field(location: tuple[str | int, ...]) -> str:
    """`("body", "tags", 0)` becomes `tags.0`; an error in the body as a whole becomes `body`."""
    inside = [str(part) for part in location[1:]]
    return ".".join(inside) if inside and isinstance(location[1], str) else str(location[0])


def _response(status: int, code: str, detail: str, details: dict[str, Any], headers: dict[str, str]) -> Response:
    shown = {name: value for name, value in details.items() if name != "retry_after"}
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    # not orjson: it refuses half a surrogate pair, which a client may have sent as a name; json escapes it
    return Response(json.dumps(body | shown), status, headers, MEDIA_TYPE)
