"""The built web page: the files in `web_dir`, and `index.html` for the page's own routes."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import PlainTextResponse

from contracts.errors import NotFound
from gateway.static_files import file_response

CLIENT_ROUTES = ("", "chat", "notes")
"""The page's own routes: these and all paths below them."""
HASHED = "assets/"
"""Files below here have a hash of their content in their name."""
FOR_EVER = "public, max-age=31536000, immutable"
MISSING = "The page has not been built yet: `make web` builds it. The API is here, described at /docs.\n"


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
            return file_response(file, request, cache_control=FOR_EVER if path.startswith(HASHED) else "no-cache")
        if is_client_route or "text/html" in request.headers.get("accept", ""):  # a browser at an unknown address
            return file_response(web_dir / "index.html", request, 200 if is_client_route else 404)
        raise NotFound

    return routes


def _found(web_dir: Path, path: str) -> Path | None:
    if not path or "\x00" in path:
        return None
    try:
        file = (web_dir / path).resolve()
        found = file.is_relative_to(web_dir.resolve()) and file.is_file()
    except OSError:  # a name that is longer than a file's can be
        return None
    return file if found else None
