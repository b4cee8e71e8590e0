"""Ordinary and malicious archives: every file is read, or skipped with a reason."""

import io
import stat
import struct
import tracemalloc
from datetime import UTC, datetime
from zipfile import ZIP_BZIP2, ZIP_LZMA, ZIP_STORED, ZipFile, ZipInfo

import pytest

from notes_service.transfer.archive_reader import ReadFile, SkippedFile, Upload
from notes_service.transfer.limits import FILE_MAX_BYTES, TOO_LARGE, Limits
from notes_service.transfer.zip_dates import modified

DAMAGED_ZIP = "This zip cannot be read: it is damaged, cut off, or lists too many files."
DAMAGED_FILE = "This file is damaged in the archive."
OUTSIDE = "The file's name points outside of the archive."
NOT_TEXT = "This is not a Markdown or text file."


def _names(outcomes: list[ReadFile | SkippedFile]) -> list[str]:
    return [outcome.name for outcome in outcomes if isinstance(outcome, ReadFile)]


def _reasons(outcomes: list[ReadFile | SkippedFile]) -> dict[str, str]:
    return {outcome.name: outcome.reason for outcome in outcomes if isinstance(outcome, SkippedFile)}


def _dated(name: str, *date: int) -> ZipInfo:
    return ZipInfo(name, date)


def test_a_folder_of_plain_markdown_with_its_dates(zip_of, read) -> None:
    content = zip_of((_dated("Notes/", 2020, 1, 1, 0, 0, 0), b""), (_dated("Notes/A.md", 2021, 2, 3, 4, 5, 6), b"text"))
    (found,) = read(content)
    when = datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert (found.name, found.note.title, found.note.body) == ("Notes/A.md", "A", "text")
    assert (found.note.created, found.note.updated) == (when, when)


@pytest.mark.parametrize("date", [(1980, 1, 1, 0, 0, 0), (1980, 0, 0, 0, 0, 0), (2021, 2, 31, 0, 0, 0)])
def test_a_date_that_is_none(date: tuple[int, ...], zip_of, read) -> None:
    (found,) = read(zip_of((_dated("a.md", *date), b"text")))
    assert found.note.updated is None


def test_the_time_in_utc_is_preferred(zip_of, read) -> None:
    info = _dated("a.md", 2021, 2, 3, 4, 5, 6)
    info.extra = struct.pack("<HHHHHBl", 0x7777, 2, 0, 0x5455, 5, 1, 1_600_000_000)
    (found,) = read(zip_of((info, b"text")))
    assert found.note.updated == datetime.fromtimestamp(1_600_000_000, UTC)


@pytest.mark.parametrize("extra", [b"", b"UT", b"UT\x05\x00\x01", b"UT\x01\x00\x01", b"UT\x05\x00\x00\x01\x01\x01\x01"])
def test_another_extra_field_says_nothing(extra: bytes, zip_of) -> None:
    info = _dated("a.md", 2021, 2, 3, 4, 5, 6)
    info.extra = extra
    assert modified(info) == datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_litter_is_left_out_without_a_word(zip_of, read) -> None:
    content = zip_of(
        *((name, b"x") for name in ["__MACOSX/._a.md", "__MACOSX/b.md", ".DS_Store", "x/.DS_Store", "x/._a.md"]),
        *((name, b"x") for name in ["Thumbs.db", "x/desktop.ini"]),
        ("a.md", b"a"),
    )
    assert [outcome.name for outcome in read(content)] == ["a.md"]


def test_hidden_folders_and_copies_of_other_programs_are_left_out(zip_of, read) -> None:
    hidden = [".trash/a.md", "V/.trash/b.md", "V/.obsidian/plugins/p/README.md", ".git/COMMIT_EDITMSG.txt"]
    copies = ["logseq/bak/pages/Old.md", "V/logseq/bak/Old.md", "V/logseq/version-files/base/x.md"]
    shown = ["V/Note.md", "./Note.md", "V/..more/x.md", "V/logseq/a.md", "V/my-logseq/bak/a.md", ".dotted.md"]
    read_files = [outcome.name for outcome in read(zip_of(*((name, b"x") for name in [*hidden, *copies, *shown])))]
    assert read_files == shown


def test_every_kind_of_text_file_and_nothing_else(zip_of, read) -> None:
    files = ["a.md", "b.MARKDOWN", "c.Txt", "d.png", "e", "f.zip", "x.md/g", ".md"]
    outcomes = read(zip_of(*((name, b"text") for name in files)))
    assert _names(outcomes) == ["a.md", "b.MARKDOWN", "c.Txt"]
    assert _reasons(outcomes) == {
        "d.png": NOT_TEXT,
        "e": NOT_TEXT,
        "f.zip": "This is an archive inside the archive: import it by itself.",
        "x.md/g": NOT_TEXT,
        ".md": NOT_TEXT,
    }


@pytest.mark.parametrize(
    "name", ["../a.md", "x/../../a.md", "/etc/a.md", "C:\\a.md", "c:/a.md", "\\\\host\\a.md", "x\\..\\a.md", ".."]
)
def test_a_name_that_points_outside(name: str, zip_of, read) -> None:
    outcomes = read(zip_of((name, b"text"), ("b.md", b"b")))
    assert _names(outcomes) == ["b.md"]
    assert list(_reasons(outcomes).values()) == [OUTSIDE]


def test_dots_inside_a_name_are_harmless(zip_of, read) -> None:
    assert _names(read(zip_of(("a..b.md", b""), ("...md", b""), ("x/.../c.md", b"")))) == [
        "a..b.md",
        "...md",
        "x/.../c.md",
    ]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices(kind: int, zip_of, read) -> None:
    info = ZipInfo("a.md")
    info.external_attr = (kind | 0o777) << 16
    assert _reasons(read(zip_of((info, b"/etc/passwd")))) == {"a.md": "This is a link or a device, not a file."}


def test_an_encrypted_file(zip_of, read) -> None:
    content = bytearray(zip_of(("a.md", b"text")))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert _reasons(read(bytes(content))) == {"a.md": "This file is encrypted."}


@pytest.mark.parametrize("method", [ZIP_BZIP2, ZIP_LZMA])
def test_compression_without_a_bound_is_not_unpacked(method: int, read) -> None:
    sink = io.BytesIO()
    with ZipFile(sink, "w", method) as archive:
        archive.writestr("a.md", "text")
    assert _reasons(read(sink.getvalue()))["a.md"].startswith("This file is compressed in an unusual way")


def test_the_same_name_twice(zip_of, read) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = zip_of(("a.md", b"first"), ("a.md", b"second"))
    outcomes = read(content)
    assert [outcome.note.body for outcome in outcomes if isinstance(outcome, ReadFile)] == ["first"]
    assert "same name" in _reasons(outcomes)["a.md"]


def test_the_same_id_twice(zip_of, read) -> None:
    text = b"---\nid: 01890a5d-ac96-774b-bcce-b302099a8057\n---\n"
    outcomes = read(zip_of(("a.md", text), ("copy.md", text + b"changed")))
    assert _names(outcomes) == ["a.md"]
    assert _reasons(outcomes)["copy.md"].startswith("This file has the same id as a.md")


def test_a_broken_file_does_not_stop_the_others(zip_of, read) -> None:
    outcomes = read(
        zip_of(
            ("latin.md", "grün".encode("latin-1")),
            ("binary.md", bytes(range(256))),
            ("nul.md", b"a\0b"),
            ("yaml.md", b"---\na: b: c\n---\n"),
            ("title.md", b"---\ntitle: [1]\n---\n"),
            ("good.md", b"good"),
        )
    )
    assert _names(outcomes) == ["yaml.md", "title.md", "good.md"]
    assert _reasons(outcomes) == {
        "latin.md": "This is not text in UTF-8 or UTF-16 (see byte 3).",
        "binary.md": "This is not text in UTF-8 or UTF-16 (see byte 129).",
        "nul.md": "The body must not contain the NUL character.",
    }


def test_a_name_in_utf8_that_is_not_marked_so(zip_of, read) -> None:
    """macOS writes such names."""
    content = zip_of(("gr__n.md", b"text")).replace(b"gr__n.md", "grün.md".encode())
    assert _names(read(content)) == ["grün.md"]


def test_a_name_that_is_marked_as_utf8_and_is_not(zip_of, read) -> None:
    """Only this file is affected, not the whole zip."""
    content = zip_of(("a.md", b"a"), ("ü.md", b"u"), ("ß.md", b"s")).replace("ü".encode(), b"\xff\xfe")
    first, damaged, last = read(content)
    assert (first.note.body, last.note.title) == ("a", "ß")
    assert damaged == SkippedFile("\xa0\u25a0.md", "This file is damaged in the archive.")


def test_a_name_in_the_code_page_of_dos(zip_of, read) -> None:
    content = zip_of(("gr_n.md", b"text")).replace(b"gr_n.md", "grün.md".encode("cp437"))
    (found,) = read(content)
    assert (found.name, found.note.title) == ("grün.md", "grün")


def test_a_name_is_shown_without_what_could_mislead(zip_of, read) -> None:
    assert list(_reasons(read(zip_of(("a\u202e\n.png", b""))))) == ["a\ufffd\ufffd.png"]


def test_a_file_that_is_larger_than_any_note(zip_of, read) -> None:
    outcomes = read(zip_of(("a.md", b"x" * (FILE_MAX_BYTES + 1)), ("b.md", b"b")))
    assert _reasons(outcomes) == {"a.md": TOO_LARGE}
    assert _names(outcomes) == ["b.md"]


def test_a_file_that_says_it_is_smaller_than_it_is(zip_of, read) -> None:
    content = bytearray(zip_of(("a.md", b"x" * 50_000_000)))
    for at in (22, content.index(b"PK\x01\x02") + 24):
        content[at : at + 4] = struct.pack("<L", 10)
    tracemalloc.start()
    try:
        outcomes = read(bytes(content))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert _reasons(outcomes) == {"a.md": DAMAGED_FILE}
    assert peak < 1_000_000


def test_all_files_together_are_bounded(zip_of, read) -> None:
    content = zip_of(*((f"{i}.md", b"x" * 1000) for i in range(5)))
    outcomes = read(content, limits=Limits(total_bytes=2500))
    assert _names(outcomes) == ["0.md", "1.md"]
    assert all("unpacks to more than is allowed" in reason for reason in _reasons(outcomes).values())


@pytest.mark.parametrize("name", [b"a.md", b"b.md"])
def test_a_zip_bomb_of_files_that_share_their_bytes(name: bytes, zip_of, read) -> None:
    """Every entry of the table of contents points to the same data: a few KB that claim to be a gigabyte."""
    one = zip_of(("a.md", b"x" * FILE_MAX_BYTES))
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    directory = one[start:end] + one[start:end].replace(b"a.md", name) * 1000
    tail = bytearray(one[end:])
    tail[8:16] = struct.pack("<HHL", 1001, 1001, len(directory))
    outcomes = read(one[:start] + directory + bytes(tail), limits=Limits(files=2000))
    assert len(outcomes) == 1001
    assert not _names(outcomes)


def test_the_unpacked_size_is_bounded_by_the_size_of_the_upload(zip_of, read) -> None:
    content = zip_of(*((f"{i}.md", b" " * FILE_MAX_BYTES) for i in range(100)))
    reasons = list(_reasons(read(content, limits=Limits(ratio=1))).values())
    assert reasons.count("The body must be at most 256 KiB in UTF-8.") == 64
    assert sum("unpacks to more than is allowed" in reason for reason in reasons) == 36


def test_ten_thousand_files_and_no_more(zip_of, read) -> None:
    outcomes = read(zip_of(*((f"{i}.md", b"text") for i in range(10_003))))
    assert len(_names(outcomes)) == 10_000
    assert _reasons(outcomes) == {"notes.zip": "The archive has 10003 files; only the first 10000 are read."}


def test_a_table_of_contents_without_end_is_not_read(read) -> None:
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0)
    tracemalloc.start()
    try:
        outcomes = read(directory + end)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert _reasons(outcomes) == {"notes.zip": DAMAGED_ZIP}
    assert peak < len(directory) + 2_000_000  # the test's own copy of it


def test_damaged_bytes_in_one_file(read) -> None:
    sink = io.BytesIO()
    with ZipFile(sink, "w", ZIP_STORED) as archive:
        archive.writestr("a.md", "alpha beta")
        archive.writestr("b.md", "gamma")
    outcomes = read(sink.getvalue().replace(b"alpha", b"alphA"))
    assert _reasons(outcomes) == {"a.md": DAMAGED_FILE}
    assert _names(outcomes) == ["b.md"]


def test_a_zip_that_is_cut_off_anywhere(zip_of, read) -> None:
    content = zip_of(("a.md", b"alpha" * 20), ("b.md", b"beta"))
    for length in range(len(content)):
        assert _reasons(read(content[:length])) == {"notes.zip": DAMAGED_ZIP}


def test_a_zip_with_something_in_front_is_still_a_zip(zip_of, read) -> None:
    assert _names(read(b"#!/bin/sh\n" + zip_of(("a.md", b"text")))) == ["a.md"]


def test_a_zip_by_another_name(zip_of, read) -> None:
    assert _names(read(zip_of(("a.md", b"text")), name="backup")) == ["a.md"]
    assert read(zip_of(), name="backup") == []


@pytest.mark.parametrize("name", ["a.md", "folder/a.markdown", "a.TXT"])
def test_a_single_text_file(name: str, read) -> None:
    (found,) = read(b"\xef\xbb\xbf# Title\n", name=name)
    assert (found.name, found.note.title, found.note.body) == (name, "Title", "# Title\n")
    assert found.note.updated is None


def test_a_single_file_that_is_too_large(read) -> None:
    assert _reasons(read(b"x" * (FILE_MAX_BYTES + 1), name="a.md")) == {"a.md": TOO_LARGE}


def test_any_other_file(read) -> None:
    assert _reasons(read(b"\x89PNG", name="a.png")) == {"a.png": "This is not a zip, Markdown or text file."}
    assert _reasons(read(b"", name="")) == {"": "This is not a zip, Markdown or text file."}


def test_memory_does_not_grow_with_the_archive(zip_of) -> None:
    content = io.BytesIO(zip_of(*((f"{i}.md", b"word " * 40_000) for i in range(200))))
    tracemalloc.start()
    try:
        found = sum(isinstance(outcome, ReadFile) for outcome in Upload(content, "notes.zip"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == 200
    assert peak < 4_000_000
