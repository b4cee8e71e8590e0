"""Files over HTTP, with the real notes service and a real S3 server."""

import asyncio
import base64
import hashlib
import io
import os
import zlib

import pytest
from PIL import Image

from contracts.files import PART_BYTES
from contracts.ids import new_id
from standalone.testing import SLOW_SECONDS, until

from .conftest import FILE_MAX_BYTES, FILE_QUOTA_BYTES
from .raw import head, raw_connection
from .test_accounts import assert_problem

pytestmark = pytest.mark.usefixtures("notes_service")

TUS = {"Tus-Resumable": "1.0.0"}
GPS = 0x8825
ORIENTATION = 0x0112
TURNED = 6


def picture(kind: str = "PNG", size: tuple[int, int] = (640, 480), **options: object) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, os.urandom(1)[0]).save(written, kind, **options)
    return written.getvalue()


def photo() -> bytes:
    """As a phone makes it: on its side, with its position."""
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[2] = (52.0, 31.0, 12.0)
    return picture("JPEG", exif=exif)


async def upload(person, data: bytes, name: str = "a.png", kind: str = "application/octet-stream"):
    return await person.http.post("/api/files", params={"name": name}, content=data, headers={"Content-Type": kind})


async def uploaded(person, data: bytes, name: str = "a.png") -> dict:
    answer = await upload(person, data, name)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def begin(person, data: bytes, first: int = 0, name: str = "large.bin"):
    headers = TUS | {
        "Upload-Length": str(len(data)),
        "Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()},filetype dGV4dC9wbGFpbg==",
    }
    answer = await person.http.post("/api/files", content=data[:first], headers=headers)
    assert answer.status_code == 201, answer.text
    return answer


async def usage(person) -> tuple[int, int]:
    used = (await person.http.get("/api/usage")).json()
    return used["files"], used["file_bytes"]


async def test_a_picture_comes_back_as_it_was(ada) -> None:
    data = picture()
    file = await uploaded(ada, data, 'Größe "1".png')
    assert file == {
        **{"id": file["id"], "name": 'Größe "1".png', "media_type": "image/png", "bytes": len(data)},
        **{"width": 640, "height": 480},
    }
    answer = await ada.http.get(f"/api/files/{file['id']}")
    assert answer.content == data
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["content-disposition"] == (
        "inline; filename=\"Gr__e _1_.png\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.png"
    )
    head_only = await ada.http.head(f"/api/files/{file['id']}")
    assert (head_only.status_code, head_only.headers["content-length"], head_only.content) == (200, str(len(data)), b"")
    again = await ada.http.get(f"/api/files/{file['id']}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (206, 0, 1)),
        ("bytes=10-19", (206, 10, 20)),
        ("bytes=90-", (206, 90, 100)),
        ("bytes=-7", (206, 93, 100)),
        ("bytes=-700", (206, 0, 100)),
        ("bytes=95-400", (206, 95, 100)),
        ("bytes=100-", (416, 0, 0)),
        ("bytes=-0", (416, 0, 0)),
        ("bytes=20-10", (200, 0, 100)),
        ("bytes=0-1,5-6", (200, 0, 100)),
        ("bytes=-", (200, 0, 100)),
        ("lines=1-2", (200, 0, 100)),
        ("bytes=9999999999999999999999-", (200, 0, 100)),
    ],
)
async def test_ranges(ada, header: str, expected: tuple[int, int, int]) -> None:
    data = bytes(range(100))
    file = await uploaded(ada, data, "a.bin")
    answer = await ada.http.get(f"/api/files/{file['id']}", headers={"Range": header})
    status, start, stop = expected
    assert answer.status_code == status
    if status == 416:
        assert answer.headers["content-range"] == "bytes */100"
        assert_problem(answer, 416, "range_not_satisfiable")
    else:
        assert answer.content == data[start:stop]
        assert answer.headers["content-length"] == str(stop - start)
        assert answer.headers.get("content-range") == (f"bytes {start}-{stop - 1}/100" if status == 206 else None)


async def test_a_range_of_another_version_is_the_whole(ada) -> None:
    file = await uploaded(ada, bytes(100), "a.bin")
    path = f"/api/files/{file['id']}"
    tag = (await ada.http.head(path)).headers["etag"]
    ranged = await ada.http.get(path, headers={"Range": "bytes=0-9", "If-Range": tag})
    assert ranged.status_code == 206
    whole = await ada.http.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (whole.status_code, len(whole.content)) == (200, 100)


@pytest.mark.parametrize(
    ("content", "name", "claimed", "media_type"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg", "image/svg+xml", "text/plain"),
        (b"<!doctype html><script>alert(1)</script>", "a.png", "image/png", "text/plain"),
        (b"<?xml version='1.0'?><x xmlns='http://www.w3.org/1999/xhtml'/>", "a.xml", "application/xml", "text/plain"),
        (b"alert(1)", "a.js", "text/javascript", "text/plain"),
        (b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>", "a.pdf", "application/pdf", "application/pdf"),
        (b"GIF89a/*<script>*/=1;alert(1)", "a.gif", "image/gif", "application/octet-stream"),
        (b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "a.png", "image/png", "application/octet-stream"),
        (b"\xff\xfe<\x00s\x00c\x00r\x00i\x00p\x00t\x00", "a.html", "text/html", "application/octet-stream"),
        (b"MZ\x00\x01", "a.exe", "image/png", "application/octet-stream"),
    ],
)
async def test_what_could_run_is_only_ever_saved(ada, content: bytes, name: str, claimed: str, media_type: str) -> None:
    answer = await upload(ada, content, name, claimed)
    assert answer.status_code == 201
    file = answer.json()
    assert (file["media_type"], file["width"]) == (media_type, None)
    got = await ada.http.get(f"/api/files/{file['id']}")
    assert got.headers["content-type"].split(";")[0] == media_type
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"].endswith("sandbox")
    assert_problem(await ada.http.get(f"/api/files/{file['id']}?size=100"), 404, "not_found")


async def test_a_picture_that_is_a_page_as_well_is_shown_as_a_picture(ada) -> None:
    file = await uploaded(ada, picture("GIF") + b"<script>alert(1)</script>", "a.html")
    got = await ada.http.get(f"/api/files/{file['id']}")
    assert got.headers["content-type"] == "image/gif"
    assert got.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\a\\passwd", "a\r\nSet-Cookie: x=1", "\u202egnp.exe", ""])
async def test_names_are_harmless(ada, name: str) -> None:
    file = await uploaded(ada, os.urandom(20), name)
    assert file["name"] in ("passwd", "aSet-Cookie: x=1", "gnp.exe", "file")
    got = await ada.http.get(f"/api/files/{file['id']}")
    assert "set-cookie" not in got.headers


async def test_the_same_content_is_the_same_file_and_counts_once(ada, bob) -> None:
    data = os.urandom(1000)
    files = await asyncio.gather(*(uploaded(ada, data, f"{n}.bin") for n in range(3)))
    assert len({file["id"] for file in files}) == 1
    assert await usage(ada) == (1, 1000)
    assert (await uploaded(bob, data))["id"] != files[0]["id"]
    assert (await ada.http.delete(f"/api/files/{files[0]['id']}")).status_code == 204
    assert_problem(await ada.http.get(f"/api/files/{files[0]['id']}"), 404, "not_found")
    assert_problem(await ada.http.delete(f"/api/files/{files[0]['id']}"), 404, "not_found")
    assert await usage(ada) == (0, 0)
    assert (await uploaded(ada, data))["id"] != files[0]["id"]


async def test_a_file_is_its_owners(ada, bob, nobody) -> None:
    data = picture()
    file = await uploaded(ada, data)
    path = f"/api/files/{file['id']}"
    begun = (await begin(ada, bytes(100))).headers["location"]
    for method, where in [("GET", path), ("GET", f"{path}?size=64"), ("DELETE", path), ("GET", begun)]:
        assert_problem(await bob.http.request(method, where), 404, "not_found")
        assert_problem(await nobody.request(method, where), 401, "auth_required")
    patch = TUS | {"Upload-Offset": "0"}
    assert_problem(await bob.http.patch(begun, content=b"x", headers=patch), 404, "not_found")
    await bob.http.delete(begun)
    assert (await ada.http.get(begun)).json()["offset"] == 0
    assert_problem(await bob.http.get(f"/api/files/{new_id()}"), 404, "not_found")
    assert (await ada.http.get(path)).content == data
    cross_site = {"Sec-Fetch-Site": "cross-site"}
    assert_problem(await ada.http.post("/api/files", content=b"x", headers=cross_site), 403, "forbidden")


async def test_a_preview_is_small_upright_and_without_a_position(ada) -> None:
    data = photo()
    file = await uploaded(ada, data, "photo.jpg")
    assert (file["width"], file["height"]) == (480, 640)
    path = f"/api/files/{file['id']}"
    answers = await asyncio.gather(*(ada.http.get(f"{path}?size=200") for _ in range(4)))
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert answers[0].headers["content-type"] == "image/webp"
    preview = Image.open(io.BytesIO(answers[0].content))
    assert preview.size == (192, 256)
    assert not preview.getexif()
    assert (await ada.http.get(path)).content == data  # its owner has it as it was


async def test_what_is_too_large_is_refused_before_it_is_read(gateway: str, ada) -> None:
    cookie = f"inkstream_session={ada.cookie}"
    async with raw_connection(gateway) as connection:
        connection.send(head("POST", "/api/files", Content_Length=FILE_MAX_BYTES + 1, Cookie=cookie))
        assert (await connection.response())[0] == 413
    answer = await ada.http.post("/api/files", headers=TUS | {"Upload-Length": str(FILE_MAX_BYTES + 1)})
    assert_problem(answer, 413, "payload_too_large")
    assert await usage(ada) == (0, 0)


async def test_what_exceeds_the_quota_is_refused_before_it_is_read(gateway: str, ada) -> None:
    reserved = []
    for _ in range(FILE_QUOTA_BYTES // FILE_MAX_BYTES):
        answer = await ada.http.post("/api/files", headers=TUS | {"Upload-Length": str(FILE_MAX_BYTES)})
        reserved.append(answer.headers["location"])
    assert (await usage(ada))[1] == FILE_MAX_BYTES * len(reserved)
    cookie = f"inkstream_session={ada.cookie}"
    async with raw_connection(gateway) as connection:
        connection.send(head("POST", "/api/files", Content_Length=FILE_MAX_BYTES, Cookie=cookie))
        status, answer = await connection.response()
        assert status == 409
    refused = await ada.http.post("/api/files", headers=TUS | {"Upload-Length": str(FILE_MAX_BYTES)})
    assert_problem(refused, 409, "quota_exceeded")
    assert "Delete files" in refused.json()["detail"]
    await ada.http.delete(reserved[0])
    assert (await upload(ada, b"now there is room")).status_code == 201


async def test_a_user_may_have_so_many_files(ada) -> None:
    for number in range(20):
        await uploaded(ada, f"{number}".encode())
    assert_problem(await upload(ada, b"one more"), 409, "quota_exceeded")
    assert_problem(await upload(ada, b"1"), 409, "quota_exceeded")


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_an_empty_file_is_refused(ada, is_chunked: bool) -> None:
    async def nothing():
        for part in ():
            yield part

    answer = await ada.http.post("/api/files", content=nothing() if is_chunked else b"")
    assert_problem(answer, 422, "validation_failed")
    assert await usage(ada) == (0, 0)


async def test_a_body_of_unknown_length(ada) -> None:
    parts = [os.urandom(3 * 1024**2) for _ in range(3)]

    async def body():
        for part in parts:
            yield part

    answer = await ada.http.post("/api/files", params={"name": "a.bin"}, content=body())
    assert answer.status_code == 201, answer.text
    data = b"".join(parts)
    assert answer.json()["bytes"] == len(data)
    assert (await ada.http.get(f"/api/files/{answer.json()['id']}")).content == data
    assert await usage(ada) == (1, len(data))


async def test_an_upload_goes_on_after_the_line_was_cut(gateway: str, ada) -> None:
    """25 MB, cut in the middle of a part: nothing that has come is sent again, and the file is what was sent."""
    data = os.urandom(25 * 1024**2)
    begun = await begin(ada, data, 1000, "Größe.bin")
    path, offset = begun.headers["location"], int(begun.headers["upload-offset"])
    assert offset == 1000
    cut = 10 * 1024**2 + 12345
    async with raw_connection(gateway) as connection:
        cookie = f"inkstream_session={ada.cookie}"
        headers = {"Content_Length": len(data) - offset, "Cookie": cookie, "Upload_Offset": offset}
        connection.send(head("PATCH", path, Tus_Resumable="1.0.0", **headers) + data[offset:cut])
        await connection.writer.drain()

    async def stored() -> int | None:
        now = int((await ada.http.head(path)).headers["upload-offset"])
        return now if now > offset + 2 * PART_BYTES else None

    now = await until("what came before the cut", stored)
    assert now <= cut
    stale = await ada.http.patch(path, content=b"x", headers=TUS | {"Upload-Offset": "5"})
    assert_problem(stale, 409, "upload_conflict")
    assert stale.json()["offset"] == now
    done = await ada.http.patch(
        path, content=data[now:], headers=TUS | {"Upload-Offset": str(now)}, timeout=SLOW_SECONDS
    )
    assert (done.status_code, done.headers["upload-offset"]) == (204, str(len(data)))
    file = (await ada.http.get(path)).json()["file"]
    assert (file["name"], file["bytes"]) == ("Größe.bin", len(data))
    got = await ada.http.get(f"/api/files/{file['id']}", timeout=SLOW_SECONDS)
    assert hashlib.sha256(got.content).digest() == hashlib.sha256(data).digest()
    assert got.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert await usage(ada) == (1, len(data))


async def test_the_last_part_sent_again_changes_nothing(ada) -> None:
    data = os.urandom(100)
    path = (await begin(ada, data, 50)).headers["location"]
    headers = TUS | {"Upload-Offset": "50"}
    answers = await asyncio.gather(*(ada.http.patch(path, content=data[50:], headers=headers) for _ in range(3)))
    assert {answer.status_code for answer in answers} <= {204, 409}
    assert any(answer.status_code == 204 for answer in answers)
    file = (await ada.http.get(path)).json()["file"]
    assert (await ada.http.get(f"/api/files/{file['id']}")).content == data
    more = await ada.http.patch(path, content=b"more", headers=TUS | {"Upload-Offset": "100"})
    assert more.status_code in (204, 409)
    assert await usage(ada) == (1, 100)


async def test_more_than_was_announced_is_refused(ada) -> None:
    path = (await begin(ada, bytes(100), 50)).headers["location"]
    answer = await ada.http.patch(path, content=bytes(60), headers=TUS | {"Upload-Offset": "50"})
    assert_problem(answer, 422, "validation_failed")
    assert (await ada.http.get(path)).json()["offset"] == 50


async def test_another_version_of_the_protocol_is_refused(ada) -> None:
    answer = await ada.http.post("/api/files", headers={"Tus-Resumable": "0.2.2", "Upload-Length": "1"})
    assert answer.status_code == 412
    assert answer.headers["tus-version"] == "1.0.0"


async def test_a_picture_of_900_million_pixels_is_no_picture(ada) -> None:
    data = _bomb(30_000)
    assert len(data) < 200_000
    file = await uploaded(ada, data)
    assert (file["media_type"], file["width"]) == ("application/octet-stream", None)
    got = await ada.http.get(f"/api/files/{file['id']}")
    assert got.headers["content-disposition"].startswith("attachment")


def _bomb(side: int) -> bytes:
    """A PNG of one colour, a bit each."""

    def block(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(side // 8 + 2)) for _ in range(side)) + packer.flush()
    shape = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + block(b"IHDR", shape) + block(b"IDAT", packed) + block(b"IEND", b"")
