"""The notes from Markdown files: ours, another program's, or written by hand."""

from datetime import UTC, datetime

import pytest

from contracts.notes import BODY_MAX_BYTES
from notes_service.transfer.encoding import decode
from notes_service.transfer.markdown_file import parse
from notes_service.transfer.note_file import Unreadable

WHEN = datetime(2021, 5, 4, 3, 2, 1, tzinfo=UTC)
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Shopping\nmilk", "Shopping"),
        ("intro\n\n# The *real* `title` of [it](x) #\n# Second", "The real title of it"),
        ("Shopping\n===\nmilk", "Shopping"),
        ("```sh\n# a comment\n```\n# Heading", "Heading"),
        ("## Only a section\n", "Plans für 2024"),
        ("#\n\n# Named", "Named"),
        ("---\ntitle:\n---\n# Heading", "Heading"),
        ("---\ntitle: '  '\n---\ntext", "Plans für 2024"),
        ("", "Plans für 2024"),
        (f"# {'x' * 300}", "x" * 200),
    ],
)
def test_title_comes_from_the_heading_or_else_the_file_name(text: str, title: str) -> None:
    note = parse(text, file_name="folder/Plans fu\u0308r 2024.md")
    assert note.title == title


def test_a_file_without_front_matter_is_its_own_body_and_has_its_own_date() -> None:
    note = parse("  # A\r\n\r\nb  ", file_name="x.md", modified=WHEN)
    assert (note.body, note.created, note.updated) == ("  # A\r\n\r\nb  ", WHEN, WHEN)
    assert (note.id, note.tags, note.pinned, note.archived) == (None, [], False, False)


def test_a_file_without_a_date_has_none() -> None:
    note = parse("a", file_name="x.md")
    assert (note.created, note.updated) == (None, None)


def test_one_date_in_the_front_matter_is_not_mixed_with_the_date_of_the_file() -> None:
    note = parse("---\nupdated: 2020-01-01\n---\n", file_name="x.md", modified=WHEN)
    assert (note.created, note.updated) == (None, datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "text", ["---\nnot closed", "---\njust a line\n---\nb", "---\n- a\n- b\n---\n", "--- \n", "----\n"]
)
def test_a_rule_at_the_top_is_no_front_matter(text: str) -> None:
    assert parse(text, file_name="x.md").body == text


@pytest.mark.parametrize("text", ["---\r\ntitle: A\r\n---\r\nb\r\n", "---  \r\ntitle: A\r\n...\r\nb\r\n"])
def test_front_matter_may_have_the_line_ends_of_windows(text: str) -> None:
    note = parse(text, file_name="x.md")
    assert (note.title, note.body) == ("A", "b\r\n")


def test_front_matter_may_be_all_there_is() -> None:
    assert parse("---\ntitle: A\n---", file_name="x.md").body == ""


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("title: 2024", "title", "2024"),
        ("title: yes", "title", "yes"),
        ("title: 2020-01-01", "title", "2020-01-01"),
        ("tags: one, two,", "tags", ["one", "two"]),
        ("tags: one", "tags", ["one"]),
        ("tags:", "tags", []),
        ("tags: [a, ~, 7, a]", "tags", ["a", "7"]),
        ("tags:\n  - a\n  - b c\n  -", "tags", ["a", "b c"]),
        ("pinned: yes", "pinned", True),
        ("archived: 'true'", "archived", True),
        ("pinned: null", "pinned", False),
        ("id: 202301011200", "id", None),
        (f"id: {ID.upper()}", "id", ID),
        ("id: ~", "id", None),
        ("created: 2020-01-01 10:00", "created", datetime(2020, 1, 1, 10, tzinfo=UTC)),
        ("created: 2020-01-01T10:00:00+02:00", "created", datetime(2020, 1, 1, 8, tzinfo=UTC)),
        ("body: injected", "body", "text"),
        ("? [a, b]\n: c", "body", "text"),
        ("layout: {deep: [1, {x: y}]}", "title", "x"),
        ("title: !!python/object/apply:os.system [id]\ntitle: last", "title", "last"),
    ],
)
def test_front_matter_is_read_as_people_and_programs_write_it(line: str, field: str, value: object) -> None:
    assert getattr(parse(f"---\n{line}\n---\ntext", file_name="x.md"), field) == value


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("title: [a]", "The title must be text."),
        ("title: {a: b}", "The title must be text."),
        ("title: !!python/object/apply:os.system [id]", "The title must be text."),
        (f"title: {'x' * 201}", "The title is longer than 200 characters."),
        ('title: "a\\0b"', "The title must not contain the NUL character."),
        ("id: [1]", "The id must be text."),
        ("tags: {a: b}", '"tags" must be a list.'),
        ("tags: [[a]]", "One of the tags must be text."),
        (f"tags: [{'x' * 51}]", "One of the tags is longer than 50 characters."),
        ("tags: ['  ']", "One of the tags is empty."),
        (f"tags: [{', '.join(map(str, range(33)))}]", "There are more than 32 tags."),
        ("pinned: perhaps", '"pinned" must be true or false.'),
        ("archived: [yes]", '"archived" must be true or false.'),
        ("created: yesterday", '"created" must be a date and time.'),
        ("created: [2020]", '"created" must be a date and time.'),
        ("updated: 2020-02-31", '"updated" must be a date and time.'),
        ("updated: 9999-12-31T23:59:59-10:00", '"updated" is not in the years 1000 to 9998.'),
        ("a: b: c", "The front matter is not valid YAML (line 2: mapping values are not allowed in this context)."),
        ("a: b\nc: 'open", "The front matter is not valid YAML (line 4: found unexpected end of stream)."),
        ("a: \x07", "The front matter holds a character that YAML does not allow."),
        ("a: &x [*x]", "The front matter uses YAML aliases (*name), which are not supported."),
        ("a: &x {b: c}\n<<: *x", "The front matter uses YAML aliases (*name), which are not supported."),
        ("[" * 10_000, "The front matter is nested too deeply."),
        ("- " * 8_000, "The front matter is nested too deeply."),
        ("a: " + "x" * 20_000, "The front matter is longer than 16384 characters."),
    ],
)
def test_what_is_wrong_with_the_front_matter_is_said(front: str, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        parse(f"---\n{front}\n---\ntext", file_name="x.md")
    assert str(error.value) == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("é" * (BODY_MAX_BYTES // 2) + "x", "The body must be at most 256 KiB in UTF-8."),
        ("a\0b", "The body must not contain the NUL character."),
    ],
)
def test_a_body_that_breaks_a_limit_is_refused(body: str, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        parse(body, file_name="x.md")
    assert str(error.value) == reason


def test_the_largest_body_is_taken() -> None:
    assert len(parse("x" * BODY_MAX_BYTES, file_name="x.md").body) == BODY_MAX_BYTES


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_is_decoded_where_its_encoding_is_certain(encoding: str) -> None:
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    assert decode((mark + "grün 😀").encode(encoding)) == "grün 😀"


@pytest.mark.parametrize("content", ["grün".encode("latin-1"), b"\xff\xfeabc", b"\xff\xfe\x00\xd8", b"\xed\xa0\x80"])
def test_text_in_another_encoding_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable, match="not text in UTF-8 or UTF-16"):
        decode(content)
