"""The bodies and headers of note requests; the limits are those of `contracts.notes`."""

import re
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Response
from pydantic import StringConstraints, model_validator

from contracts import notes
from contracts.errors import ValidationFailed

NO_VERSION = 2**31 - 1
"""A version that no note has: a write that expects it is refused as stale. For entity tags that are not ours."""
ENTITY_TAGS = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')


class NotePatch(notes.NotePatch):
    """Any of the fields; those left out stay as they are."""

    @model_validator(mode="before")
    @classmethod
    def _not_empty(cls, data: Any) -> Any:
        if isinstance(data, dict) and not cls.model_fields.keys() & data.keys():
            raise ValueError(f"name at least one of {', '.join(cls.model_fields)}")
        return data  # pyright: ignore[reportUnknownVariableType]


IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=200)] | None,
    Header(description="The same key again answers with the first result and changes nothing."),
]


async def _expected_version(
    if_match: Annotated[
        str | None, Header(description='The version this change was made on: `"<version>"`, or `*`.', max_length=1000)
    ] = None,
) -> int | None:
    """The version in If-Match, None for any. Several tags, or tags that are not ours, match no version."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = _entity_tags(if_match)
    ours = [tag for weak, tag in tags if not weak and tag.isascii() and tag.isdecimal() and len(tag) < 10]
    return int(ours[0]) if len(ours) == 1 and int(ours[0]) > 0 else NO_VERSION


def _entity_tags(header: str) -> list[tuple[str, str]]:
    tags: list[tuple[str, str]] = []
    position = 0
    while position < len(header):
        match = ENTITY_TAGS.match(header, position)
        if match is None:
            break
        tags.append((match[1] or "", match[2]))
        position = match.end()
    if not tags or position < len(header):
        raise ValidationFailed(errors=[{"field": "If-Match", "message": 'Must be a quoted version, as in "3", or *'}])
    return tags


ExpectedVersion = Annotated[int | None, Depends(_expected_version)]


NOTE = {"headers": {"ETag": {"description": "The note's version, for If-Match.", "schema": {"type": "string"}}}}
"""Of a route's `responses`, where it answers with `tagged`."""


class PassedNote(Response):
    """`id`: the note's."""

    media_type = "application/json"
    id: str


def passed_on(content: bytes) -> Response:
    """What the notes service answered: JSON of the model that the route's documentation names."""
    return Response(content, media_type="application/json")


def tagged(content: bytes, status: int = 200) -> PassedNote:
    """A note that the notes service answered with."""
    note = orjson.loads(content)
    response = PassedNote(content, status, {"ETag": f'"{note["version"]}"'})
    response.id = note["id"]
    return response
