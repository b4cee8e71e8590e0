"""Which requests are understood, as what."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_model.intents import (
    Append,
    Choose,
    Create,
    CreateMany,
    Delete,
    DeleteMany,
    Intent,
    Linked,
    List,
    Mark,
    Named,
    Nth,
    Pronoun,
    Read,
    Remove,
    Rename,
    Replace,
    Search,
    SetBody,
    Story,
    Tag,
    Talk,
    Unknown,
)
from demo_model.parse import parse

SHOPPING = Named("shopping list")
ID = "0199a000-0000-7000-8000-000000000001"
LINKED = Linked(ID, "Shopping list")
IT, THIS = Pronoun("it"), Pronoun("this")

PHRASES: list[tuple[str, Intent | list[Intent]]] = [
    # new notes
    ("create a note titled Shopping list with milk and eggs", Create("Shopping list", "- milk\n- eggs")),
    ("Create a note titled Shopping list with milk and eggs.", Create("Shopping list", "- milk\n- eggs")),
    (
        "CREATE A NOTE TITLED Shopping list WITH milk, eggs AND butter",
        Create("Shopping list", "- milk\n- eggs\n- butter"),
    ),
    ('please create a note titled "Milk and eggs" with 6 eggs', Create("Milk and eggs", "6 eggs")),
    ("can you make a new note called Ideas?", Create("Ideas")),
    ("Could you please create a note called Ideas for me?", Create("Ideas")),
    ("I'd like you to add a note named Trip: pack the tent", Create("Trip", "pack the tent")),
    (
        "create a note titled „Crème brûlée“ with sugar, cream and eggs",
        Create("Crème brûlée", "- sugar\n- cream\n- eggs"),
    ),
    ("create a note titled « Été à Lyon » saying On part à 8 h", Create("Été à Lyon", "On part à 8 h")),
    ("create a note called Einkaufsliste with Milch und Brot", Create("Einkaufsliste", "- Milch\n- Brot")),
    ("Create a note titled 'Bob's list' with one, two", Create("Bob's list", "- one\n- two")),
    ("create a note titled 買い物 with 牛乳 and 卵", Create("買い物", "- 牛乳\n- 卵")),
    ('add a note titled Books with the text "Read more and list them"', Create("Books", "Read more and list them")),
    ("create a note with title Foo and body Bar", Create("Foo", "Bar")),
    ("create a new note titled Plan with body: Do this and show that.", Create("Plan", "Do this and show that.")),
    ("create a note titled Work tagged job, office", Create("Work", "", ("job", "office"))),
    ("make a note about my trip to Paris", Create("Trip to Paris")),
    ("create a shopping list with milk and eggs", Create("Shopping list", "- milk\n- eggs")),
    ("make me a packing list for Rome: socks, shirts", Create("Packing list for Rome", "- socks\n- shirts")),
    ("create a note titled Two lines\nfirst line\nsecond line", Create("Two lines", "first line\nsecond line")),
    ("create a recipe note for pancakes with flour and milk", Create("Pancakes", "- flour\n- milk")),
    ("create notes titled A, B and C", CreateMany(("A", "B", "C"))),
    ("create a note", Create(None)),
    ("note: call mum tomorrow", Create("Call mum tomorrow", "call mum tomorrow")),
    ("write down that the wifi password is 1234", Create("The wifi password is 1234", "the wifi password is 1234")),
    (
        "Remember to buy milk and delete old mail",
        Create("Buy milk and delete old mail", "buy milk and delete old mail"),
    ),
    # what there is
    ("what notes do I have", List()),
    ("What notes do I have?", List()),
    ("list my notes", List()),
    ("show all notes", List()),
    ("please show me all my notes", List()),
    ("how many notes do I have?", List()),
    ("give me a list of my notes", List()),
    ("list my notes tagged work", List("work")),
    ("find my note about eggs", Search("eggs")),
    ("search for Café", Search("Café")),
    ("search my notes for oat milk", Search("oat milk")),
    ("do I have a note about eggs?", Search("eggs")),
    ("which notes mention eggs?", Search("eggs")),
    ("where did I write about the harbour?", Search("harbour")),
    ("show my notes about eggs", Search("eggs")),
    ("read my shopping list", Read(SHOPPING)),
    ("what does my shopping list say?", Read(SHOPPING)),
    ("open Groceries", Read(Named("Groceries"))),
    ("what's in my shopping list?", Read(SHOPPING)),
    ("show me the note about eggs", Read(Named("eggs", about=True))),
    ("read it", Read(IT)),
    ("what is this note about?", Read(THIS)),
    ("read this note aloud", Read(THIS)),
    ("open the second one", Read(Nth(2))),
    ("the last one", Choose(Nth(-1))),
    # changes
    ("add butter to my shopping list", Append(SHOPPING, ("butter",))),
    ("add butter and bread to my shopping list, please", Append(SHOPPING, ("butter", "bread"))),
    ("append call Bob to it", Append(IT, ("call Bob",))),
    ('add "meet Anna in Paris" to Trip', Append(Named("Trip"), ("meet Anna in Paris",))),
    ("add go to the bank to my todo list", Append(Named("todo list"), ("go to the bank",))),
    ("add butter to Things to do in Rome", Append(Named("Things to do in Rome"), ("butter",))),
    ("put milk on my shopping list", Append(SHOPPING, ("milk",))),
    ("edit the note Test: add a line saying hello", Append(Named("Test"), ("hello",))),
    ("add milk to the list", Append(IT, ("milk",))),
    ("add the following to my shopping list: butter, jam", Append(SHOPPING, ("butter", "jam"))),
    ("write hello in this note", Append(THIS, ("hello",))),
    ("change milk to oat milk in Shopping list", Replace(Named("Shopping list"), "milk", "oat milk")),
    ("replace A with B in X", Replace(Named("X"), "A", "B")),
    ("in my shopping list, change milk to oat milk", Replace(SHOPPING, "milk", "oat milk")),
    ("change milk to oat milk", Replace(IT, "milk", "oat milk")),
    ("remove eggs from X", Remove(Named("X"), "eggs")),
    ("cross milk off my shopping list", Remove(SHOPPING, "milk")),
    ("rename X to Y", Rename(Named("X"), "Y")),
    ("rename it to “À faire”.", Rename(IT, "À faire")),
    ("change the title of Shopping list to Groceries", Rename(Named("Shopping list"), "Groceries")),
    ("call it Groceries", Rename(IT, "Groceries")),
    ("set the text of X to All new", SetBody(Named("X"), "All new")),
    ("update the note titled X with body All new", SetBody(Named("X"), "All new")),
    ("delete the note X", Delete(Named("X"))),
    ("delete my shopping list note", Delete(SHOPPING)),
    ('Delete the "Groceries" note, please.', Delete(Named("Groceries"))),
    ("delete it", Delete(IT)),
    ("get rid of the note called Old plans", Delete(Named("Old plans"))),
    ("move it to the trash", Delete(IT)),
    ("remove Groceries from my notes", Delete(Named("Groceries"))),
    ("pin my shopping list", Mark(SHOPPING, "pinned", value=True)),
    ("unpin it", Mark(IT, "pinned", value=False)),
    ("archive X", Mark(Named("X"), "archived", value=True)),
    ("mark X as pinned", Mark(Named("X"), "pinned", value=True)),
    ("tag X with food and home", Tag(Named("X"), ("food", "home"))),
    ("remove the tag food from X", Tag(Named("X"), ("food",), add=False)),
    # a link names a note
    (f"Add butter to [Shopping list](/notes/{ID})", Append(LINKED, ("butter",))),
    (f"read my [Shopping list](/notes/{ID}) note, please", Read(LINKED)),
    (f"delete the note [Shopping list](/notes/{ID}).", Delete(LINKED)),
    (f"read [\\[1\\] A](/notes/{ID})", Read(Linked(ID, "[1] A"))),
    # several at once
    ("delete Alpha and delete Beta", DeleteMany((Named("Alpha"), Named("Beta")))),
    ("Delete my notes Alpha, Beta and Gamma", DeleteMany((Named("Alpha"), Named("Beta"), Named("Gamma")))),
    ("delete the note Alpha, then read Beta", [Delete(Named("Alpha")), Read(Named("Beta"))]),
    ("find my note about eggs and add butter to it", [Append(Named("eggs", about=True), ("butter",))]),
    ("create a note titled Trip and pin it", [Create("Trip"), Mark(IT, "pinned", value=True)]),
    (
        "Remove eggs from my shopping list, then add ham to it and then read it",
        [Remove(SHOPPING, "eggs"), Append(IT, ("ham",)), Read(IT)],
    ),
    ('create a note titled X with the text "a b" and pin it', [Create("X", "a b"), Mark(IT, "pinned", value=True)]),
    (
        "create a note titled X with body one, then rename it to Y, then delete it",
        [Create("X", "one"), Rename(IT, "Y"), Delete(IT)],
    ),
    ("create a note titled Search and rescue", [Create("Search and rescue")]),
    # everything else
    ("tell a long story", Story()),
    ("Please tell me a long story about a red balloon.", Story("a red balloon")),
    ("tell me a story of 1000 words", Story(words=1000)),
    ("hello", Talk("greeting")),
    ("Hi there!", Talk("greeting")),
    ("help", Talk("help")),
    ("What can you do?", Talk("help")),
    ("thanks!", Talk("thanks")),
    ("delete all my notes", Talk("one_at_a_time")),
    ("what is the capital of France?", Unknown()),
    ("Write me a poem about ink", Unknown()),
    ("write a poem on ink", Unknown()),
    ("Write us a haiku to my sister", Unknown()),
    ("write an essay in German", Unknown()),
    ("put yourself in their shoes", Unknown()),
    ("include more detail", Unknown()),
    ("jot a limerick", Unknown()),
    ("", Unknown()),
]


@pytest.mark.parametrize(("request_text", "meaning"), PHRASES)
def test_understands(request_text: str, meaning: Intent | list[Intent]) -> None:
    assert parse(request_text) == (meaning if isinstance(meaning, list) else [meaning])


@given(
    st.text()
    | st.lists(st.sampled_from([*(text for text, _ in PHRASES), "“", '"', "'", "\n", " and ", " to "])).map("".join)
)
def test_any_text_means_something(text: str) -> None:
    assert parse(text)


@pytest.mark.parametrize(
    "piece", ["„", "‘", "a", " ", "\n", "and ", "add x to ", '"', "'", " to my", "find ", "create a note with ", "1. "]
)
def test_long_requests_are_read_in_a_moment(piece: str) -> None:
    for start in ("", "create a note titled X with ", "add ", "change ", "find my note "):
        began = time.process_time()
        parse(start + piece * (32_000 // len(piece)))
        parse((start + piece * 4_000)[:4_000])
        assert time.process_time() - began < 1
