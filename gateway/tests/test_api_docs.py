"""The files of Swagger UI, served by the gateway itself."""

import re

import pytest

from gateway.static_files import CONTENT_SECURITY_POLICY


async def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_script(nobody) -> None:
    answer = await nobody.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    addresses = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert {"/docs/swagger-ui-bundle.js", "/docs/start.js", "/docs/swagger-ui.css"} <= set(addresses)
    assert all(address.startswith("/") for address in addresses)
    assert not re.search(r"<script(?![^>]*src=)|<style|style=", answer.text)


@pytest.mark.parametrize(
    ("path", "media_type", "content"),
    [
        ("/docs/start.js", "javascript", "SwaggerUIBundle"),
        ("/docs/swagger-ui-bundle.js", "javascript", "SwaggerUIBundle"),
        ("/docs/swagger-ui.css", "text/css", ".swagger-ui"),
    ],
)
async def test_its_files_are_there(nobody, path: str, media_type: str, content: str) -> None:
    answer = await nobody.get(path)
    assert answer.status_code == 200
    assert media_type in answer.headers["content-type"]
    assert answer.headers["content-encoding"] == "gzip"
    assert content in answer.text
    again = await nobody.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_page_is_not_part_of_the_api(nobody) -> None:
    assert not any(path.startswith("/docs") for path in (await nobody.get("/openapi.json")).json()["paths"])
