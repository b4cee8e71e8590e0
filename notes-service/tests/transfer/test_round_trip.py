"""Round trip: any note is unchanged after export and import."""

import io
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.actor import PublicActor
from contracts.ids import new_id
from contracts.moments import EARLIEST, LATEST
from contracts.notes import TAG_MAX_CHARACTERS, TAGS_MAX, TITLE_MAX_CHARACTERS, Note, Tags, Title
from contracts.properties import INTEGER_MAX, PROPERTIES_MAX_BYTES, RESERVED_PREFIX, Properties, problem
from notes_service.transfer.archive_reader import ReadFile
from notes_service.transfer.markdown_file import parse, render
from notes_service.transfer.note_file import NoteFile

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.text(CHARACTERS)
AWKWARD = st.lists(
    st.sampled_from(["---", "\n", "\r\n", "\r", "...", "# x", " ", "\t", "\ufeff", "\u2028", "\x85", "😀", "- a", ": "])
).map("".join)
BODIES = TEXT | AWKWARD


def _valid(kind: object) -> Callable[[object], bool]:
    adapter = TypeAdapter(kind)

    def fits(value: object) -> bool:
        try:
            adapter.validate_python(value)
        except ValidationError:
            return False
        return True

    return fits


TITLES = (st.text(CHARACTERS, max_size=200) | AWKWARD).filter(_valid(Title)).map(TypeAdapter(Title).validate_python)
TAGS = (
    st.lists(st.text(CHARACTERS, min_size=1, max_size=50) | st.sampled_from(["a, b", "null", "~", "yes", "#1", "[x]"]))
    .filter(_valid(Tags))
    .map(TypeAdapter(Tags).validate_python)
)
NAMES = (
    st.text(CHARACTERS, min_size=1, max_size=30) | st.sampled_from(["id", "title", "date", "keywords", "Tags", "a b"])
).filter(lambda name: name == name.strip() and not name.startswith(RESERVED_PREFIX))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_MAX, INTEGER_MAX)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(["null", "5", "2024-01-02", "true", "[[Note]]", "a: b", "007", "1e5", "*x", "#x"]),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(TEXT, inside, max_size=4),
    max_leaves=8,
)
PROPERTIES = (
    st.dictionaries(NAMES, VALUES, max_size=6).map(Properties).filter(lambda properties: problem(properties) is None)
)
MOMENTS = st.datetimes(
    EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None) - timedelta(microseconds=1), timezones=st.just(UTC)
)
NOTES = st.builds(
    NoteFile,
    id=st.uuids().map(str),
    title=TITLES | st.sampled_from(["null", "2024", "yes", "con", "..", "a/b", "---", "A", "a", "A (2)"]),
    body=BODIES,
    tags=TAGS,
    pinned=st.booleans(),
    archived=st.booleans(),
    created=MOMENTS,
    updated=MOMENTS,
    properties=PROPERTIES,
)
LIBRARIES = st.lists(NOTES, max_size=8, unique_by=lambda note: note.id)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes=LIBRARIES)
def test_an_archive_comes_back_as_the_same_notes(notes: list[NoteFile], chunks, read) -> None:
    content = b"".join(chunks(notes))
    outcomes = read(content)
    assert [outcome.note for outcome in outcomes if isinstance(outcome, ReadFile)] == notes
    names = [outcome.name for outcome in outcomes]
    assert len({unicodedata.normalize("NFD", name).casefold() for name in names}) == len(notes)
    assert all(len(name.encode()) <= 200 for name in ZipFile(io.BytesIO(content)).namelist())


@settings(max_examples=500, deadline=None)
@given(note=NOTES)
@example(NoteFile(title="x", body="---\ntitle: other\n---\n"))
@example(NoteFile(title="x", body=""))
@example(NoteFile(title="x", body="\n\n  a \r\n"))
def test_a_file_comes_back_as_the_same_note(note: NoteFile) -> None:
    assert parse(render(note), file_name="other.md") == note


def test_the_largest_front_matter_comes_back() -> None:
    tags = [f"{i:02}" + "\x7f" * (TAG_MAX_CHARACTERS - 2) for i in range(TAGS_MAX)]
    properties = Properties(a="\x7f" * (PROPERTIES_MAX_BYTES - len('{"a":""}')))
    note = NoteFile(title="\x7f" * TITLE_MAX_CHARACTERS, tags=tags, body="b", properties=properties)
    assert parse(render(note), file_name="other.md") == note


def test_every_field_of_a_stored_note_is_in_its_file() -> None:
    now = datetime.now(UTC)
    note = Note(
        id=new_id(),
        title="Eggs 🥚",
        body="# Eggs\n",
        tags=["food", "to buy"],
        pinned=True,
        archived=True,
        version=3,
        created_at=datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        updated_at=now,
        updated_by=PublicActor(kind="user"),
    )
    assert render(NoteFile.of(note)) == (
        f'---\nid: {note.id}\ntitle: "Eggs 🥚"\ntags: ["food", "to buy"]\npinned: true\narchived: true\n'
        f"created: 2020-01-02T03:04:05.678901Z\nupdated: {now.isoformat().replace('+00:00', 'Z')}\n---\n# Eggs\n"
    )
    assert parse(render(NoteFile.of(note)), file_name="x.md") == NoteFile.of(note)
