"""The built web page: the files in `web_dir`, and `index.html` for the page's own routes."""

import gzip
from functools import lru_cache
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import PlainTextResponse

from contracts.errors import NotFound

CLIENT_ROUTES = ("", "chat", "notes")
"""The page's own routes: these and all paths below them."""
HASHED = "assets/"
"""Files below here have a hash of their content in their name."""
SECURITY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob: https:",  # a picture in a note, shown on request: docs/adr/0008
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
MISSING = "The page has not been built yet: `make web` builds it. The API is here, described at /openapi.json.\n"
COMPRESSED_TYPES = ("text/", "application/javascript", "application/json", "application/manifest", "image/svg")
CACHED_FILES = 256


class PagePath(PathConvertor):
    """Any path outside of the API, where an unknown path is answered 404 whatever the method."""

    regex = "(?!api/).*"


register_url_convertor("page", PagePath())


def router(web_dir: Path | None) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/{path:page}", methods=["GET", "HEAD"])
    async def page(path: str, request: Request) -> Response:
        is_client_route = path.split("/", maxsplit=1)[0] in CLIENT_ROUTES
        if web_dir is None or not (web_dir / "index.html").is_file():
            if is_client_route:
                return PlainTextResponse(MISSING, 404)
            raise NotFound
        if (file := _found(web_dir, path)) is not None:
            return _file(file, path, request)
        if is_client_route or "text/html" in request.headers.get("accept", ""):  # a person at a wrong address
            return _file(web_dir / "index.html", path, request, 200 if is_client_route else 404)
        raise NotFound

    return routes


def _found(web_dir: Path, path: str) -> Path | None:
    if path and "\x00" not in path:
        file = (web_dir / path).resolve()
        if file.is_relative_to(web_dir.resolve()) and file.is_file():
            return file
    return None


def _file(file: Path, path: str, request: Request, status: int = 200) -> Response:
    media_type = guess_type(file.name)[0] or "application/octet-stream"
    plain, packed, tag = _read(file, file.stat().st_mtime_ns, media_type.startswith(COMPRESSED_TYPES))
    headers = {
        "Cache-Control": _cache_control(path, status),
        "Content-Security-Policy": SECURITY,
        "ETag": tag,
        "Vary": "Accept-Encoding",
    }
    if status == 200 and tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if packed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, status, headers=headers | {"Content-Encoding": "gzip"}, media_type=media_type)
    return Response(plain, status, headers=headers, media_type=media_type)


def _cache_control(path: str, status: int) -> str:
    if status != 200:
        return "no-store"
    return "public, max-age=31536000, immutable" if path.startswith(HASHED) else "no-cache"


@lru_cache(CACHED_FILES)
def _read(file: Path, modified: int, compress: bool) -> tuple[bytes, bytes | None, str]:
    """A file's bytes, the same compressed, and an entity tag. `modified` is part of the cache key only, so that a new
    build is read again."""
    plain = file.read_bytes()
    return plain, gzip.compress(plain, 9) if compress else None, f'W/"{sha256(plain).hexdigest()[:20]}"'
