"""Nothing that is uploaded makes the reader raise."""

import io
from collections.abc import Iterator
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from hypothesis import example, given, settings
from hypothesis import strategies as st

from notes_service.transfer.archive_reader import ReadFile, SkippedFile, Upload

NAMES = st.text() | st.sampled_from(["notes.zip", "a.md", "a.txt", "x/a.markdown", "backup", "", "."])
YAML_PIECES = ["---\n", "...\n", "\r\n", "title: ", "tags: ", "id: ", "created: ", "pinned: ", "- ", "[", "]", "{", "}"]
MORE_PIECES = [
    "&a ",
    "*a",
    "!!int ",
    "!!timestamp ",
    "'",
    '"',
    "|\n",
    ">\n",
    "? ",
    ": ",
    "\t",
    " ",
    "a",
    "1",
    "~",
    "\0",
]
TEXTS = st.lists(st.sampled_from(YAML_PIECES + MORE_PIECES), max_size=30).map("".join)
CHANGES = st.lists(st.tuples(st.integers(0, 2**20), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6)


def _check(content: bytes, name: str) -> None:
    upload = Upload(io.BytesIO(content), name)
    outcomes: list[ReadFile | SkippedFile] = list(upload)
    assert upload.total == len(outcomes)
    assert all(outcome.reason for outcome in outcomes if isinstance(outcome, SkippedFile))


@settings(max_examples=500, deadline=None)
@given(content=st.binary(), name=NAMES)
@example(content=b"\xff\xfe\x00\x00", name="a.md")
def test_any_bytes(content: bytes, name: str) -> None:
    _check(content, name)
    _check(b"PK\x03\x04" + content, name)


@settings(max_examples=1000, deadline=None)
@given(text=TEXTS)
def test_any_front_matter(text: str) -> None:
    _check(f"---\n{text}\n---\nbody".encode(), "a.md")


def _zip(method: int) -> bytes:
    sink = io.BytesIO()
    with ZipFile(sink, "w", method) as archive:
        archive.writestr("a.md", "---\ntitle: A\n---\nalpha " * 5)
        archive.writestr("grün.md", "beta")
        archive.writestr("c/", "")
    return sink.getvalue()


ZIPS = [_zip(ZIP_DEFLATED), _zip(ZIP_STORED)]


@settings(max_examples=3000, deadline=None)
@given(content=st.sampled_from(ZIPS), changes=CHANGES)
def test_any_damage_to_a_zip(content: bytes, changes: list[tuple[int, bytes]]) -> None:
    damaged = bytearray(content)
    for at, value in changes:
        start = at % len(content)
        damaged[start : start + len(value)] = value
    _check(bytes(damaged), "notes.zip")


def _each_byte(content: bytes) -> Iterator[bytes]:
    for at in range(len(content)):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            yield content[:at] + bytes([value]) + content[at + 1 :]


def test_every_byte_of_a_zip_damaged() -> None:
    for content in ZIPS:
        for damaged in _each_byte(content):
            _check(damaged, "notes.zip")
