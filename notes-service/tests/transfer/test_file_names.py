"""File names that every file system accepts, and that are unique on each of them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notes_service.transfer.entry_names import is_system_file
from notes_service.transfer.file_names import MAX_BYTES, FileNames


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Shopping list", "Shopping list.md"),
        ("Grüße 😀 日本", "Grüße 😀 日本.md"),
        ("Gru\u0308n", "Gr\u00fcn.md"),
        ("a/b\\c: what?", "a-b-c- what-.md"),
        ("../../etc/passwd", "_..-..-etc-passwd.md"),
        ("a\nb\tc", "a-b-c.md"),
        ("evil\u202egnp.exe", "evil-gnp.exe.md"),
        (".hidden", "_.hidden.md"),
        ("...", "Untitled.md"),
        ("end. . ", "end.md"),
        ("con", "_con.md"),
        ("NUL.txt", "_NUL.txt.md"),
        ("Lpt1 .x", "_Lpt1 .x.md"),
        ("Contents", "Contents.md"),
        ("日" * 200, "日" * 65 + ".md"),
    ],
)
def test_a_title_becomes_a_safe_name(title: str, name: str) -> None:
    assert FileNames().name(title) == name


def test_names_are_numbered_where_they_would_be_the_same() -> None:
    names = FileNames()
    titles = ["A", "a", "A (2)", "Ä", "A\u0308", "ä (2)", "A", "a/b", "a:b", "straße", "STRASSE"]
    assert [names.name(title) for title in titles] == [
        *("A.md", "a (2).md", "A (2) (2).md", "Ä.md", "Ä (2).md", "ä (2) (2).md", "A (3).md", "a-b.md", "a-b (2).md"),
        *("straße.md", "STRASSE (2).md"),
    ]


def test_a_taken_number_is_passed_over() -> None:
    names = FileNames()
    assert [names.name(title) for title in ["A (2)", "A (3)", "A", "A"]] == ["A (2).md", "A (3).md", "A.md", "A (4).md"]


def test_long_names_are_numbered_within_the_limit() -> None:
    names = FileNames()
    given_names = {names.name("日" * 200) for _ in range(1200)}
    assert len(given_names) == 1200
    assert max(len(name.encode()) for name in given_names) <= MAX_BYTES


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from(["a", "A (2)", "a (2)"]))
)
def test_no_two_names_are_the_same(titles: list[str]) -> None:
    names = FileNames()
    given_names = [names.name(title) for title in titles]
    assert len({unicodedata.normalize("NFD", name).casefold() for name in given_names}) == len(titles)
    assert not any(set(name) & set('<>:"/\\|?*\0\n') or is_system_file(name) for name in given_names)
