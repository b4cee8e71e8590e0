"""Identifiers: UUIDv7 (RFC 9562), so that ids made later sort later, as lower-case text."""

from typing import Annotated

import uuid_utils
from pydantic import StringConstraints

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

Id = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
"""A UUID in its canonical lower-case form. The pattern keeps subjects safe: no dot, no space, no wildcard."""


def new_id() -> str:
    return str(uuid_utils.uuid7())
