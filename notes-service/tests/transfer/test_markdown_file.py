"""The notes from Markdown files: ours, another program's, or written by hand."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.notes import BODY_MAX_BYTES
from notes_service.transfer import dates
from notes_service.transfer.encoding import decode
from notes_service.transfer.markdown_file import parse
from notes_service.transfer.note_file import Unreadable
from notes_service.transfer.yaml_block import MAX_CHARACTERS

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
        ("title: x\nbody: injected", "body", "text"),
        ("title: x\n? [a, b]\n: c", "body", "text"),
        ("title: x\nlayout: {deep: [1, {x: y}]}", "title", "x"),
        ("title: !!python/object/apply:os.system [id]\ntitle: last", "title", "last"),
    ],
)
def test_front_matter_is_read_as_people_and_programs_write_it(line: str, field: str, value: object) -> None:
    assert getattr(parse(f"---\n{line}\n---\ntext", file_name="x.md"), field) == value


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2020-01-02 3:04 PM", datetime(2020, 1, 2, 15, 4)),
        ("2020-1-2", datetime(2020, 1, 2)),
        ("2023/05/04", datetime(2023, 5, 4)),
        ("13/05/2023", datetime(2023, 5, 13)),
        ("05/13/2023", datetime(2023, 5, 13)),
        ("04.05.2023", datetime(2023, 5, 4)),
        ("4.5.2023 10:30", datetime(2023, 5, 4, 10, 30)),
        ("4. Mai 2023", datetime(2023, 5, 4)),
        ("Mittwoch, 4. Mai 2023 um 10:00 Uhr", datetime(2023, 5, 4, 10)),
        ("May 4, 2023 10:00 AM", datetime(2023, 5, 4, 10)),
        ("May 4th, 2023", datetime(2023, 5, 4)),
        ("2023年5月4日", datetime(2023, 5, 4)),
        ("2020-01-02 03:04:05 -0500", datetime(2020, 1, 2, 8, 4, 5)),
        ("Thu, 02 Jan 2020 03:04:05 +0200", datetime(2020, 1, 2, 1, 4, 5)),
        ("Thu, 02 Jan 2020 03:04:05 EST", datetime(2020, 1, 2, 8, 4, 5)),
        ("Thu Jan 02 2020 03:04:05 GMT+0200", datetime(2020, 1, 2, 1, 4, 5)),
        ("'[[2021-02-03]]'", datetime(2021, 2, 3)),
        ("[[2021-02-03]]", datetime(2021, 2, 3)),
        ("'[[Daily/2021-02-03|that day]]'", datetime(2021, 2, 3)),
        ("20200102", datetime(2020, 1, 2)),
        ("202001021504", datetime(2020, 1, 2, 15, 4)),
        ("20200102150405", datetime(2020, 1, 2, 15, 4, 5)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59)),
        ("Sat, 31 Dec 2016 23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59)),
        ("20161231235960", datetime(2016, 12, 31, 23, 59, 59)),
        ("1608518909", datetime(2020, 12, 21, 2, 48, 29)),
        ("1608518909864", datetime(2020, 12, 21, 2, 48, 29, 864000)),
    ],
)
@pytest.mark.parametrize("key", ["created", "date", "created_at", "Date created"])
def test_dates_are_read_as_people_and_programs_write_them(written: str, date: datetime, key: str) -> None:
    note = parse(f"---\n{key}: {written}\n---\ntext", file_name="x.md", modified=WHEN)
    assert (note.created, note.body, note.left_out) == (date.replace(tzinfo=UTC), "text", ())


@pytest.mark.parametrize("key", ["updated", "modified", "lastmod", "updated_at", "last-modified", "Date modified"])
def test_the_last_change_has_many_names(key: str) -> None:
    assert parse(f"---\n{key}: 2020-01-02\n---\n", file_name="x.md").updated == datetime(2020, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "created"),
    [
        ("created: 2020-01-02\ndate: 2021-01-01", 2020),
        ("date: 2021-01-01\ncreated: 2020-01-02", 2020),
        ("created_at: 2020-01-02\ndate: 2021-01-01", 2020),
        ("created: soon\ndate: 2021-01-01", 2021),
    ],
)
def test_of_several_dates_the_plainest_counts(fields: str, created: int) -> None:
    note = parse(f"---\n{fields}\n---\n", file_name="x.md")
    assert note.created is not None and note.created.year == created


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("tags: '#one #two/three'", ["one", "two/three"]),
        ("tags: one two three", ["one", "two", "three"]),
        ("tags: [Work, work, '#WORK']", ["Work"]),
        ("tags: ['', '  ', a]", ["a"]),
        ("keywords: one, two", ["one", "two"]),
        ("tags:\n\t- a\n\t- b", ["a", "b"]),
        ("tags: &x [a, b]\nkeywords: *x", ["a", "b"]),
        ("created: a: b\ntags:\n  - a\n  - b", ["a", "b"]),
    ],
)
def test_tags_are_read_as_people_and_programs_write_them(line: str, tags: list[str]) -> None:
    assert parse(f"---\n{line}\n---\ntext", file_name="x.md").tags == tags


def test_tags_of_our_own_export_are_exactly_those_of_the_note() -> None:
    assert parse(f'---\nid: {ID}\ntags: ["#a", "A", "a"]\n---\n', file_name="x.md").tags == ["#a", "A", "a"]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("title: Part one: the beginning", "Part one: the beginning"),
        ("title: @home", "@home"),
        ("title: `code` in it", "`code` in it"),
        ('title: "open', '"open'),
        ("title: 50% off\ncreated: {{date}}", "50% off"),
        ("title:\tA", "A"),
        ("title: &a A\nother: *a", "A"),
    ],
)
def test_a_title_that_yaml_does_not_allow_is_text(line: str, title: str) -> None:
    note = parse(f"---\n{line}\n---\ntext", file_name="x.md")
    assert (note.title, note.body) == (title, "text")


@pytest.mark.parametrize(
    ("front", "left_out"),
    [
        ("title: [a]", "The title must be text, so it is kept as a property."),
        ("title: {a: b}", "The title must be text, so it is kept as a property."),
        ("title: !!python/object/apply:os.system [id]", "The title must be text, so it is kept as a property."),
        (f"title: {'x' * 201}", "The title is longer than 200 characters, so it is kept as a property."),
        ('title: "a\\0b"', "The title must not contain the NUL character, so it is kept as a property."),
        ("tags: [[a]]", "One of the tags is left out: a nested value is not text."),
        (f"tags: [{'x' * 51}]", f'One of the tags is left out: "{"x" * 51}" is longer than 50 characters.'),
        (
            f"tags: [{', '.join(map(str, range(33)))}]",
            'One of the tags is left out: "32" is more than the 32 that a note can have.',
        ),
        ('tags: ["a\\0b"]', "One of the tags is left out: it contains the NUL character."),
        ("pinned: perhaps", '"pinned" must be true or false, so it is kept as a property.'),
        ("archived: 2023-01-01", '"archived" must be true or false, so it is kept as a property.'),
        ("created: yesterday", '"created" is kept as a property: "yesterday" is not a date.'),
        ("created: 10", '"created" is kept as a property: "10" is not a date.'),
        ("created: {{date}}", '"created" is kept as a property: "{{date}}" is not a date.'),
        ("created: '{{date}}'", '"created" is kept as a property: "{{date}}" is not a date.'),
        ("updated: 2020-02-31", '"updated" is kept as a property: "2020-02-31" is not a date.'),
        ("created: 0001-01-01T00:00:00Z", '"created" is not in the years 1000 to 9998, so it is kept as a property.'),
        (
            "updated: 9999-12-31T23:59:59-10:00",
            '"updated" is not in the years 1000 to 9998, so it is kept as a property.',
        ),
        ("title: A\nauthor: B\nauthor: C", '"author" is there twice; the last one counts.'),
        ("tags: " + "[" * 10_000, f'One of the tags is left out: "{"[" * 60}…" is longer than 50 characters.'),
        ("title: &x [*x]", "The title must be text, so it is kept as a property."),
    ],
)
def test_a_field_that_cannot_be_read_is_said(front: str, left_out: str) -> None:
    note = parse(f"---\n{front}\n---\ntext", file_name="x.md")
    assert (note.body, note.left_out) == ("text", (left_out,))
    assert note.title == ("A" if "title: A" in front else "x")


@pytest.mark.parametrize(
    "front",
    [
        "To do today: call the bank",
        "a: b: c",
        "a: b\nc: 'open",
        "a: \x07",
        "a: &x {b: c}\n<<: *x",
        "[" * 10_000,
        "- " * 8_000,
        "Dear Sir,\ntitle\nyours",
        "Dear Sir,\n\ttitle: x: y\ntitle: x: y",
        "{} # x: y\n: {",
        "title: " + "x" * MAX_CHARACTERS,
    ],
)
def test_a_block_without_a_field_of_a_note_stays_in_the_text(front: str) -> None:
    text = f"---\n{front}\n---\nThe rest."
    assert parse(text, file_name="x.md").body == text


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("0123456789-/.: TZ+apmAPMGUECST", max_size=30))
def test_any_text_is_a_date_or_not(text: str) -> None:
    dates.parse(text)


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
