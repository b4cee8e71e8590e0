"""Front matter of other programs: nothing of it is lost, and what has not changed is written as it was."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.properties import INTEGER_MAX, PROPERTIES_MAX, Properties, problem
from notes_service.transfer.markdown_file import parse, render
from notes_service.transfer.note_file import NoteFile

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
WHEN = datetime(2021, 5, 4, 3, 2, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """An entry as a program writes it, and its value as JSON."""

    name: str
    value: object
    source: str


NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True).filter(lambda name: name not in ("id", "tag", "date"))
WORDS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,9}( [a-zA-Z0-9äß語]{1,5})?", fullmatch=True).filter(
    lambda word: word.lower() not in ("null", "true", "false", "yes", "no", "on", "off", "nan", "inf")
)
NUMBERS = st.integers(-INTEGER_MAX, INTEGER_MAX) | st.integers(-999, 999).map(lambda number: number / 4)
DAYS = st.dates().map(str)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def yaml_line(name: str, value: object, style: int) -> str:
    match value:
        case list() if style % 3 == 0:
            return f"{name}:\n" + "".join(f"  - {as_json(one)}\n" for one in value)
        case list() if style % 3 == 1:
            return f"{name}:\n" + "".join(f"- {as_json(one)}   # why\n" for one in value) + "\n"
        case list():
            return f"{name}:   [{', '.join(map(as_json, value))}]\n"
        case str() if style % 3 == 0 and value.replace(" ", "").isalnum() and value[0].isalpha():
            return f"{name}: {value}\n# a comment\n"
        case str() if style % 3 == 1 and "'" not in value:
            return f"{name}: '{value}'\n"
        case None:
            return f"{name}:\n" if style % 2 else f"{name}: ~\n"
        case _:
            return f"{name}:  {as_json(value)}\n"


def toml_line(name: str, value: object, style: int) -> str:
    match value:
        case list() if style % 2:
            return f"{name} = [\n" + "".join(f"  {as_json(one)},\n" for one in value) + "]\n"
        case str() if style % 2 and "'" not in value:
            return f"{name} = '{value}' # a comment\n"
        case _:
            return f"{name} = {as_json(value)}\n"


def logseq_line(name: str, value: object, style: int) -> str:
    return f"{name}::{' ' * (1 + style % 2)}{value if isinstance(value, str) else as_json(value)}\n"


SCALARS = WORDS | NUMBERS | DAYS | st.booleans()
LISTS = st.lists(WORDS, min_size=1, max_size=4)
DIALECTS = {
    "yaml": ("---\n", "---\n", yaml_line, SCALARS | LISTS | TEXTS | st.none()),
    "toml": ("+++\n", "+++\n", toml_line, SCALARS | LISTS),
    "logseq": ("", "", logseq_line, SCALARS),
}


@st.composite
def files(draw: st.DrawFn, dialect: str) -> tuple[str, list[Line]]:
    """The front matter of a file, and its entries that are no fields of a note."""
    opening, closing, write, values = DIALECTS[dialect]
    made = [
        Line(name, value := draw(values), write(name, value, draw(st.integers(0, 5))))
        for name in draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    ]
    return f"{opening}{''.join(line.source for line in made)}{closing}", made


def stored(note: NoteFile) -> NoteFile:
    """As it is once it has been imported."""
    times = {"created": note.created or WHEN, "updated": note.updated or WHEN}
    return note.model_copy(update={"id": note.id or ID, "left_out": (), **times})


def read_again(note: NoteFile) -> NoteFile:
    again = parse(render(note), file_name="other.md")
    return again.model_copy(update={"front_matter": note.front_matter, "left_out": ()})


def in_order(parts: Sequence[str], text: str) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_what_is_not_changed_is_written_as_it_was(dialect: str, data: st.DataObject) -> None:
    source, lines = data.draw(files(dialect))
    note = stored(parse(f"{source}\nbody", file_name="x.md"))
    assert note.properties == Properties({line.name: line.value for line in lines})
    assert in_order([line.source for line in lines], render(note))
    assert read_again(note) == note


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_what_is_changed_is_read_and_the_rest_is_as_it_was(dialect: str, data: st.DataObject) -> None:
    source, lines = data.draw(files(dialect))
    note = stored(parse(f"{source}\nbody", file_name="x.md"))
    values = DIALECTS[dialect][3]
    names = [line.name for line in lines]
    changed = data.draw(st.dictionaries(st.sampled_from(names) | NAMES, values, max_size=3))
    kept = data.draw(st.lists(st.sampled_from(names), unique=True))
    properties = Properties({name: note.properties[name] for name in kept} | changed)
    after = note.model_copy(update={"properties": properties, "title": data.draw(WORDS)})
    assert read_again(after) == after
    untouched = [line.source.strip() for line in lines if line.name in kept and line.name not in changed]
    if dialect == "yaml":
        assert all(part in render(after) for part in untouched)


@pytest.mark.parametrize(
    ("text", "properties", "body"),
    [
        ("---\naliases:\n  - Other\nrating: 5\n---\nb", {"aliases": ["Other"], "rating": 5}, "b"),
        ("---\nDate read: soon\naliases: [A]\n---\nb", {"Date read": "soon", "aliases": ["A"]}, "b"),
        ("---\na: 9783161484100\n---\n", {"a": 9783161484100}, ""),
        ("---\na: 12345678901234567890\n---\n", {"a": "12345678901234567890"}, ""),
        ("---\nzip: 01234\nversion: 1_0\nat: 12:30\n---\n", {"zip": "01234", "version": "1_0", "at": "12:30"}, ""),
        ("---\nx: .nan\ny: .inf\nz: 1e999\n---\n", {"x": ".nan", "y": ".inf", "z": "1e999"}, ""),
        ("---\nwhen: 2024-01-02\ndone: true\nempty:\n---\n", {"when": "2024-01-02", "done": True, "empty": None}, ""),
        ("---\ntext: |\n  a\n  b\nnext: x\n---\n", {"text": "a\nb\n", "next": "x"}, ""),
        ("---\nid: 20200102\ntitle: A\n---\n", {"id": 20200102}, ""),
        ("---\ncreated: 2020-01-01\ndate: 2021-01-01\n---\n", {"date": "2021-01-01"}, ""),
        ("---\ncreated: '{{date}}'\n---\n", {"created": "{{date}}"}, ""),
        ("---\na: &x [1, 2]\nb: *x\n---\n", {"a": [1, 2], "b": [1, 2]}, ""),
        ("---\ntitle: A\nbad: 'open\n---\n", {"bad": "'open"}, ""),
        ("---\r\ntitle: A\r\nx: y\r\n---\r\nb\r\n", {"x": "y"}, "b\r\n"),
        ("---\ntags:\naliases:\n---\n", {"aliases": None}, ""),
        ("+++\ntitle = 'A'\ndate = 2020-01-02\n[a]\nx = 1\n[a.y]\nz = 2\n+++\nb", {"a": {"x": 1, "y": {"z": 2}}}, "b"),
        ("+++\nnot toml\n+++\nb", {}, "+++\nnot toml\n+++\nb"),
        ("title:: A\nalias:: B, C\nrating:: 5\n\n- block", {"alias": ["B", "C"], "rating": 5}, "\n- block"),
        ("std::vector is a type\n\ntext", {}, "std::vector is a type\n\ntext"),
        ("key:: value\nand a paragraph", {}, "key:: value\nand a paragraph"),
        ("---\n\nTo do today: call the bank\n---\nb", {}, "---\n\nTo do today: call the bank\n---\nb"),
    ],
)  # fmt: skip
def test_front_matter_is_read(text: str, properties: dict[str, object], body: str) -> None:
    note = parse(text, file_name="x.md")
    assert (note.properties, note.body) == (Properties(properties), body)
    assert read_again(stored(note)) == stored(note)


@pytest.mark.parametrize(
    "front",
    [
        "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]" for n in range(9)),
        "a: " + "[" * 9 + "x" + "]" * 9,
        "a: &a [*a]",
        "a: {? [b]: c}",
        'a: "b\\0c"',
    ],
    ids=["an anchor bomb", "deep nesting", "a loop", "a key that is no text", "NUL"],
)
def test_a_value_that_cannot_be_stored_is_the_text_that_is_written(front: str) -> None:
    note = stored(parse(f"---\n{front}\n---\nbody", file_name="x.md"))
    assert note.body == "body"
    assert problem(note.properties) is None
    assert front in render(note)
    assert read_again(note) == note


def test_more_properties_than_a_note_can_have_stay_in_the_text() -> None:
    source = "---\ntitle: A\n" + "".join(f"p{n}: {n}\n" for n in range(PROPERTIES_MAX + 1)) + "---\n"
    note = parse(f"{source}body", file_name="x.md")
    assert (note.title, note.properties, note.body) == ("A", Properties(), f"{source}body")
    assert note.left_out == (f"The properties must be at most {PROPERTIES_MAX}. The front matter is in the text.",)
    assert read_again(stored(note)) == stored(note)


def test_only_the_entry_that_changed_is_written_anew() -> None:
    source = "---\n# mine\ntitle: A  # the title\nrating:   5\n\n# about it\nstatus: 'open'\ndate: 2020-1-2\n---\n"
    note = stored(parse(f"{source}body", file_name="x.md"))
    after = note.model_copy(update={"properties": Properties(note.properties | {"rating": 6, "new": ["x"]})})
    assert render(after) == (
        "---\n# mine\ntitle: A  # the title\nrating: 6\n\n# about it\nstatus: 'open'\ndate: 2020-1-2\n"
        f'new: ["x"]\nid: "{ID}"\nupdated: 2021-05-04T03:02:01Z\n---\nbody'
    )
    gone = after.model_copy(update={"properties": Properties(status="open"), "tags": ["a"]})
    assert "rating" not in render(gone)
    assert read_again(gone) == gone


def test_toml_stays_toml() -> None:
    source = "+++\ntitle = 'A'\ndate = 2020-01-02T03:04:05Z\ncategories = ['a', 'b']\n[params]\nx = 1\n+++\n"
    note = stored(parse(f"{source}body", file_name="x.md"))
    assert (
        render(note) == source.replace("[params]", f'id = "{ID}"\nupdated = "2021-05-04T03:02:01Z"\n[params]') + "body"
    )
    empty = note.model_copy(update={"properties": Properties(x=None)})  # which TOML cannot hold
    assert render(empty).startswith("---\n")
    assert read_again(empty) == empty
