"""Search: the matches, their order, and their snippets."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import notes
from notes_service.folding import composed, fold
from notes_service.repository.search import USE_INDEXES, find_statement
from notes_service.snippets import snippet

from .conftest import Person


async def test_words_are_found_in_title_tags_and_body(ada):
    await ada.create("Shopping", body="milk and eggs", tags=["kitchen"])
    await ada.create("Work", body="slides")
    for word in ("shopping", "SHOPPING", "milk", "eggs", "kitchen"):
        assert await ada.found(word) == ["Shopping"], word
    assert await ada.found("milk slides") == []
    assert await ada.found("milk or slides") == ["Shopping", "Work"] or await ada.found("slides or milk") != []


async def test_a_title_counts_more_than_a_tag_and_a_tag_more_than_the_body(ada):
    await ada.create("In the body", body="some words about coffee, and some more of them")
    await ada.create("In a tag", body="some other words", tags=["coffee"])
    await ada.create("Coffee", body="some other words")
    await ada.create("Something else", body="tea")
    assert await ada.found("coffee") == ["Coffee", "In a tag", "In the body"]
    ranks = [hit.rank for hit in await ada.search("coffee")]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[-1] > 0


async def test_the_last_word_may_be_begun_only(ada):
    await ada.create("Running shoes", body="for the marathon")
    for typed in ("r", "ru", "runn", "running sh", "shoes mara", "marathon run"):
        assert await ada.found(typed) == ["Running shoes"], typed
        assert (await ada.search(typed))[0].rank > 0, typed
    assert await ada.found("mara shoes") == []  # the first word is finished


async def test_other_forms_of_a_word_are_found(ada):
    await ada.create("Trip", body="we were running through the cities")
    for typed in ("runs", "run", "city", "running"):
        assert await ada.found(typed) == ["Trip"], typed


async def test_quotes_minus_and_or(ada):
    await ada.create("One", body="green tea and black coffee")
    await ada.create("Two", body="black tea and green coffee")
    assert await ada.found('"green tea"') == ["One"]
    assert await ada.found("tea -black-board") == ["Two", "One"]
    assert await ada.found('tea -"green tea"') == ["Two"]
    assert await ada.found('"black tea" -"green tea"') == ["Two"]
    assert await ada.found('"tea and green" or nothing') == ["Two"]
    assert await ada.found('"tea green"') == []
    assert await ada.found("“green tea”") == ["One"]
    assert sorted(await ada.found('"green tea" or "green coffee"')) == ["One", "Two"]


async def test_what_is_left_out_may_stand_anywhere_in_the_note(ada):
    await ada.create("Shopping", body="milk and black tea", tags=["kitchen"])
    for typed in ("shopping -milk", 'shopping -"black tea"', "kitchen -milk", "tea -shopping", "tea -kitchen"):
        assert await ada.found(typed) == [], typed
    assert await ada.found('shopping -"tea black"') == await ada.found("shopping -coffee") == ["Shopping"]


async def test_case_and_accents_do_not_matter(ada):
    await ada.create("Crème brûlée", body="Łódź, Ålesund, Việt Nam, ΑΘΉΝΑ, ЁЛКА, decomposed: cafe\u0301")
    for typed in ("creme", "CRÈME", "crème", "lodz", "ålesund", "alesund", "viet", "αθηνα", "елка", "cafe", "café"):
        assert await ada.found(typed) == ["Crème brûlée"], typed


async def test_a_word_is_found_however_it_is_spelt(ada):
    await ada.create("Straße", body="l'œuvre, Æsir, ﬁne ﬂour, ΟΔΟΣ, Ｆｕｌｌ　Ｗｉｄｔｈ（２）, שָׁלוֹם, كِتَابٌ, محـــمد")
    for typed in ("strasse", "straße", "STRASSE", "oeuvre", "œuvre", "aesir", "fine flour", "ﬁne", "οδος", "οδοσ"):
        assert await ada.found(typed) == ["Straße"], typed
    for typed in ("full width 2", "ｗｉｄｔｈ", "שלום", "שָׁלוֹם", "كتاب", "كِتَاب", "محمد", "-nothing straß"):
        assert await ada.found(typed) == ["Straße"], typed


async def test_scripts_without_case(ada):
    await ada.create("日本語のノート", body="한국어 메모, हिन्दी नोट, مذكرة عربية, הערה, บันทึก")
    for typed in ("日本", "한국", "हिन्दी", "مذكرة", "הערה", "บันทึก"):
        assert await ada.found(typed) == ["日本語のノート"], typed


async def test_scripts_without_spaces_are_found_in_the_middle_of_a_sentence(ada):
    await ada.create("日本語のノート", body="毎日の散歩はiPhoneで記録する。东京和北京都很大。", tags=["旅行"])
    await ada.create("สมุดบันทึก", body="วันนี้อากาศดีมาก")
    for typed in (
        "ノート",
        "日本語",
        "散歩",
        "散歩 記録",
        "iphone",
        "记录 or 記録",
        "北京",
        '"北京都"',
        "旅行",
        "録",
        "行",
    ):
        assert await ada.found(typed) == ["日本語のノート"], typed
    for typed in ("อากาศ", "ดีมาก", "บันทึก"):
        assert await ada.found(typed) == ["สมุดบันทึก"], typed
    for typed in ("京北", "散歩 -北京", "散歩 -北京都", "ノ ー ト", '"散歩 記録"'):
        assert await ada.found(typed) == [], typed


async def test_a_snippet_marks_letters_in_the_middle_of_a_sentence(ada):
    await ada.create("北京日記", body="あ" * 500 + "今日は<b>散歩</b>と買い物、また散歩。" + "い" * 500)
    (hit,) = await ada.search("散歩")
    assert "今日は&lt;b&gt;<mark>散歩</mark>&lt;/b&gt;と買い物、また<mark>散歩</mark>。" in hit.snippet
    assert len(hit.snippet) < 400
    (hit,) = await ada.search("京日")
    assert hit.snippet == "北<mark>京日</mark>記"


async def test_many_words_beside_letters_without_spaces_are_marked_in_no_time():
    """The snippets of a page of results are made on the event loop, which they must not block for long."""
    words = [f"{first}{second}x" for first in "abcdefghij" for second in "klmno"]
    text = "plain words, one after the other. " * 600 + "zz"
    began = time.thread_time()
    assert snippet(text, "", [*words, "zz", "日"]) is not None
    assert time.thread_time() - began < 0.1


async def test_a_snippet_marks_words_beside_letters_without_spaces(ada):
    await ada.create("T", body="毎日の散歩はiPhoneで記録する。My phones are old.")
    for typed, marked in (
        ("iphone", "散歩は<mark>iPhone</mark>で"),
        ("記録 iphone", "散歩は<mark>iPhone</mark>で<mark>記録</mark>する。"),
        ("記録 phone", "<mark>記録</mark>する。My <mark>phone</mark>s"),
        ("old", "My phones are <mark>old</mark>"),
        ("記録 -nothing", "iPhoneで<mark>記録</mark>する"),
        ("記録 -“my shoes”", "<mark>記録</mark>する。My phones"),
    ):
        (hit,) = await ada.search(typed)
        assert marked in hit.snippet, typed


async def test_a_snippet_is_short_where_words_are_endless(ada):
    await ada.create("T", body="x" * 1900 + " the needle " + "y" * 1900)
    (hit,) = await ada.search("needle")
    assert "the <mark>needle</mark> yyy" in hit.snippet
    assert len(hit.snippet) < 400


async def test_a_phrase_is_found_wherever_it_stands(ada):
    await ada.create("To be", body="or not to be, that is the question; whether it is nobler in the mind to suffer")
    await ada.create("Apples", body="red apples and green pears " + "filler words " * 200 + "the end of it all")
    for typed in (
        '"to be or not"',
        '"not to be"',
        '"that is the question" mind',
        'or "in the mind"',
        '"be"',
        '"to be or',
    ):
        assert await ada.found(typed) == ["To be"], typed
    for typed in ('"end of it"', '"red apples" "it all"', '"words the end"', '"red appl', '"red apples" pear'):
        assert await ada.found(typed) == ["Apples"], typed
    for typed in ('"be not"', '"to be" "green pears"', '"apples red"', '"question mind"'):
        assert await ada.found(typed) == [], typed


async def test_parts_of_names_addresses_and_paths_are_words(ada):
    await ada.create(
        "Links", body="see https://www.example.com/docs/setup-guide.html, mail ada@example.org, v1.25, e-mail"
    )
    for typed in (
        "example",
        "setup",
        "guide",
        "setup-guide",
        "setup-gui",
        "ada@example.org",
        "docs/set",
        "25",
        "e-mail",
    ):
        assert await ada.found(typed) == ["Links"], typed


async def test_a_change_of_the_words_is_found_at_once(ada):
    made = await ada.create("Note", body="alpha")
    await ada.update(made, body="beta", tags=["gamma"])
    assert await ada.found("alpha") == []
    assert await ada.found("beta") == await ada.found("gamma") == ["Note"]
    await ada.update(made, pinned=True)
    assert await ada.found("beta") == ["Note"]


async def test_the_trash_is_not_searched(ada):
    made = await ada.create("Secret plan")
    await ada.request(notes.DELETE, id=made.id)
    assert await ada.found("secret") == []
    await ada.request(notes.RESTORE, id=made.id)
    assert await ada.found("secret") == ["Secret plan"]


async def test_archived_notes_are_found(ada):
    made = await ada.create("Old plan")
    await ada.update(made, archived=True)
    assert await ada.found("plan") == ["Old plan"]


async def test_a_dash_between_words_leaves_nothing_out(ada):
    await ada.create("Meeting - Monday", body="use --force -- or not")
    for typed in (
        "Meeting - Monday",
        "meeting -",
        "meeting - mon",
        '"meeting - monday"',
        "meeting – monday",
        "--force",
    ):
        assert await ada.found(typed) == ["Meeting - Monday"], typed
    assert await ada.found("meeting -monday") == []
    await ada.create("Boards", body="a black-board -white-board thing")
    assert await ada.found('"black-board -white-board thing"') == ["Boards"]


@pytest.mark.parametrize(
    "typed",
    ["-", "--", '"', '""', '"-', "-milk", '-"milk', "or", "OR or", "( ) & | !", "🎉", "…", "&|!:*", "a:*b", "\\", "'",
     "''", "%", "-- or -", '" "', ":*", "!", "<->", "milk <-> -"],
)  # fmt: skip
async def test_odd_searches_find_nothing_or_something_and_never_fail(ada, typed):
    await ada.create("Milk")
    assert await ada.found(typed) in ([], ["Milk"])


@pytest.mark.parametrize("typed", ["-", '"', "🎉", "-milk", "( & | !", ":*"])
async def test_a_search_for_nothing_finds_nothing(ada, typed):
    await ada.create("Milk")
    assert await ada.found(typed) == []


async def test_a_snippet_shows_the_match_and_is_safe_html(ada):
    await ada.create("T", body='before <img src=x onerror="alert(1)"> & the **needle** <script>needle</script> after')
    (hit,) = await ada.search("needle")
    assert hit.snippet == (
        "before &lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; the <mark>needle</mark> "
        "&lt;script&gt;<mark>needle</mark>&lt;/script&gt; after"
    )


async def test_a_snippet_keeps_the_accents_of_the_note(ada):
    await ada.create("T", body="Une cre\u0300me légère, puis des œufs")
    (hit,) = await ada.search("creme legere")
    assert hit.snippet == "Une <mark>crème</mark> <mark>légère</mark>, puis des œufs"


async def test_a_snippet_is_the_part_of_a_long_note_that_matches(ada):
    await ada.create("T", body="filler " * 1500 + "the needle is here " + "filler " * 1500)
    (hit,) = await ada.search("needle")
    assert "<mark>needle</mark>" in hit.snippet
    assert len(hit.snippet) < 400


async def test_a_snippet_has_no_marks_of_markdown_around_its_ends(ada):
    words = " ".join(f"word{number}" for number in range(60))
    await ada.create("T", body=f"Sow {words} **peas** and sweet peas. {words}")
    (hit,) = await ada.search("peas")
    assert hit.snippet.startswith("<mark>peas</mark> and sweet <mark>peas</mark>. word0")


async def test_a_match_in_the_title_alone_is_shown_there(ada):
    await ada.create("A <needle>", body="nothing of the kind")
    (hit,) = await ada.search("needle")
    assert hit.snippet == "A &lt;<mark>needle</mark>&gt;"


async def test_a_match_in_a_tag_alone_shows_the_beginning(ada):
    await ada.create("Title", body="The **beginning**", tags=["needle"])
    assert [hit.snippet for hit in await ada.search("needle")] == ["The beginning"]


async def test_our_own_marks_in_a_note_are_no_marks(ada):
    await ada.create("T", body="\ufdd0fake\ufdd1 needle \ufdd1\ufdd0 <mark>x</mark>")
    (hit,) = await ada.search("needle")
    assert hit.snippet.count("<mark>") == 1
    assert "\ufdd0" not in hit.snippet


@pytest.mark.parametrize("limit", [1, 3])
async def test_no_more_than_asked_for(ada, limit):
    for number in range(5):
        await ada.create(f"needle {number}")
    assert len(await ada.search("needle", limit=limit)) == limit


async def test_bodies_of_the_largest_size_are_found_to_their_end(ada):
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = [a + b + c + "s" for a in letters for b in letters for c in letters]
    body = " ".join(words)[: 256 * 1024 - 10] + " theend"
    for text in (body, "-".join(words)[: 256 * 1024 - 10] + " theend", "x" * 250_000 + " theend"):
        made = await ada.create("Large", body=text)
        assert await ada.found("theend") == ["Large"]
        await ada.request(notes.DELETE, id=made.id)


@pytest.mark.parametrize("typed", ["needle", '"a needle"', "hay -needle"])
async def test_an_index_is_asked_for_the_words_and_the_user_at_once(db, ada, typed):
    """With the user alone, all words of the user would be read; with the words alone, other users' notes."""
    for number in range(50):
        await ada.create(f"Note {number}", body="hay " * number)
    await db.execute("ANALYZE note_words")
    find, *values = find_statement(ada.actor.user_id, "english", typed)
    async with db.transaction():
        await db.execute(*USE_INDEXES())
        plan = await db.fetch(f"EXPLAIN {find}", *values)
    conditions = [row[0] for row in plan if "Index Cond" in row[0] and "@@" in row[0]]
    assert len(conditions) == 2
    assert all("ARRAY[" in condition for condition in conditions), conditions


async def all_pages(person: Person, q: str, limit: int) -> list[notes.SearchResults]:
    pages: list[notes.SearchResults] = [await person.request(notes.SEARCH, q=q, limit=limit)]
    while (cursor := pages[-1].next_cursor) is not None:
        pages.append(await person.request(notes.SEARCH, q=q, limit=limit, cursor=cursor))
    return pages


async def test_pages_have_every_match_once_and_say_how_many_there_are(ada):
    """More than are ranked: 250 in the text, and one in the title, which is the best and the oldest."""
    await ada.create("Harvest")
    made = [f"Note {number}" for number in range(250)]
    for title in made:
        await ada.create(title, body="apples of the harvest")
    pages = await all_pages(ada, "harvest", 50)
    hits = [hit for page in pages for hit in page.results]
    assert hits[0].note.title == "Harvest"
    assert sorted(hit.note.title for hit in hits) == sorted(["Harvest", *made])
    assert {(page.total, page.total_is_minimum) for page in pages} == {(251, False)}
    assert [len(page.results) for page in pages] == [50, 50, 50, 50, 50, 1]
    ranks = [hit.rank for hit in hits]
    assert ranks == sorted(ranks, reverse=True)
    assert all("<mark>harvest</mark>" in hit.snippet for hit in hits[1:])
    assert len((await ada.request(notes.SEARCH, q="harvest", cursor="99999")).results) == 0

    quoted = await all_pages(ada, '"the harvest"', 200)  # read until there are enough, and the title
    assert {(page.total, page.total_is_minimum) for page in quoted} == {(101, True)}
    assert sum(len(page.results) for page in quoted) == 101
    (without,) = await all_pages(ada, "harvest -apples", 50)
    assert (without.total, without.total_is_minimum) == (1, False)


@given(st.text())
def test_folding_keeps_every_place(text):
    assert len(fold(composed(text))) == len(composed(text))
    assert not re.search(r"[!-/:-@\[-`{-~]", fold(text))
