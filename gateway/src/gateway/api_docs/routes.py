"""HTTP routes of Swagger UI.

`SWAGGER_UI` is the only use of fastapi-offline's folder, which is not documented: see
docs/adr/0012-private-parts-behind-adapters.md for which test notices when it changes.
"""

from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Request, Response

from gateway.static_files import file_response

OURS = Path(__file__).parent
SWAGGER_UI = Path(fastapi_offline.__file__).parent / "static"

router = APIRouter(prefix="/docs", include_in_schema=False)


@router.get("")
async def index(request: Request) -> Response:
    return file_response(OURS / "index.html", request)


@router.get("/start.js")
async def start(request: Request) -> Response:
    return file_response(OURS / "start.js", request)


@router.get("/swagger-ui-bundle.js")
async def bundle(request: Request) -> Response:
    return file_response(SWAGGER_UI / "swagger-ui-bundle.js", request)


@router.get("/swagger-ui.css")
async def style(request: Request) -> Response:
    return file_response(SWAGGER_UI / "swagger-ui.css", request)
