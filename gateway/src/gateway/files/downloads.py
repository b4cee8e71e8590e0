"""Downloads: a file in a response from which a browser can run nothing.

Only pictures that the notes service has recognised are shown; everything else is saved. The type is the one found in
the bytes, browsers must not guess another (`nosniff`), and what is shown is in a sandbox, in case a browser errs.
"""

from collections.abc import AsyncGenerator, Callable
from urllib.parse import quote

import structlog
from fastapi import Request, Response
from starlette.responses import StreamingResponse

from contracts.errors import NotFound, ServiceUnavailable
from gateway.direct_connection import connection_of
from gateway.files.byte_ranges import NotSatisfiable, parse_range
from gateway.problems import rejected
from servicekit.object_store import ObjectStore

log = structlog.stdlib.get_logger()

SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"
"""Of RFC 8187, beside letters and digits."""


async def download(
    request: Request, store: ObjectStore, key: str, *, size: int, tag: str, media_type: str, disposition: str
) -> Response:
    """The object of `size` bytes, whole or the range that was asked for; 304 if the client has it."""
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",  # asked again each time, since another user may sign in with this browser
        "Content-Disposition": disposition,
        "Content-Security-Policy": SANDBOX,
        "ETag": tag,
    }
    if _matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    if_range = request.headers.get("if-range")
    try:
        part = parse_range(request.headers.get("range"), size) if if_range in (None, tag) else None
    except NotSatisfiable:
        return rejected(
            416,
            "The file ends before this range.",
            {"Content-Range": f"bytes */{size}"},
            code="range_not_satisfiable",
        )
    start, stop = part or (0, size)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    chunks = store.stream(key, start, stop)
    first = await anext(chunks)  # an error here can still become a response with a status
    body = _stream(first, chunks, connection_of(request.scope).abort)
    return StreamingResponse(body, status, headers, media_type)


def content_disposition(name: str, *, shown: bool) -> str:
    """RFC 6266: the name in ASCII for old clients, and whole."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    kind = "inline" if shown else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=ATTRIBUTE_CHARACTERS)}"


def _matches(if_none_match: str | None, tag: str) -> bool:
    tags = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return tag in tags or tags == ["*"]


async def _stream(first: bytes, rest: AsyncGenerator[bytes], abort: Callable[[], None]) -> AsyncGenerator[bytes]:
    """Aborts the connection if the rest fails, so that a truncated file does not look complete to the client."""
    yield first
    try:
        async for chunk in rest:
            yield chunk
    except (ServiceUnavailable, NotFound):
        log.warning("download aborted")
        abort()
