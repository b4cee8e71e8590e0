"""The relevance of search results for a small collection of ordinary notes."""

import pytest

from contracts.actor import Actor
from contracts.ids import new_id

from .conftest import Person

LIBRARY = [
    ("Shopping list", "- milk\n- eggs\n- flour\n- butter", ["home"]),
    ("Pancakes", "Mix flour, milk and three eggs. Rest the batter for half an hour, then fry in butter.", ["recipes"]),
    ("Omelette", "Beat the eggs with a fork. A little butter, high heat, one minute.", ["recipes", "breakfast"]),
    ("Crème brûlée", "Cream, egg yolks, sugar, vanilla. Bake in a water bath, then burn the sugar.", ["recipes"]),
    (
        "Meeting with Zoë",
        "We agreed on the budget for 2027. Next meeting on Thursday; Zoë brings the slides.",
        ["work"],
    ),
    ("Budget 2027", "Rent 12,000\nTravel 3,500\nSoftware 2,000. To be approved by the board.", ["work", "money"]),
    ("Travel to Kraków", "Train from Berlin at 9:12, hotel near the market square. See Wawel castle.", ["travel"]),
    ("Packing", "Passport, charger, rain jacket, book for the train", ["travel"]),
    ("Books to read", "The Left Hand of Darkness; Middlemarch; A Brief History of Time", ["reading"]),
    ("Time management", "Plan the week on Monday. One hour without meetings every morning.", ["work"]),
    ("Wi-Fi", "Network: ink-guest, password on the router. Ask ada@example.org when it fails.", ["home"]),
    (
        "Running plan",
        "Monday 5 km easy, Wednesday intervals, Sunday a long run. New running shoes.",
        ["health"],
    ),
    ("Dentist", "Appointment on 3 March, 14:30. Bring the insurance card.", ["health"]),
    (
        "Server notes",
        "Restart with `systemctl restart inkstream`; logs in /var/log/inkstream.log",
        ["work", "computers"],
    ),
    ("日本語の勉強", "毎日 10 分。ひらがな、カタカナ、漢字。", ["reading"]),
    ("Garden", "Plant tomatoes after the last frost. Water the roses in the evening.", ["home"]),
    ("Quotes", "“The best time to plant a tree was twenty years ago. The second best time is now.”", []),
    ("Letter to the landlord", "The heating in the kitchen has not worked since Thursday.", ["home"]),
]
WANTED: list[tuple[str, list[str], list[str]]] = [
    # the query; the first results, in this order; other required results, in any order
    ("shopping", ["Shopping list"], []),
    ("budget", ["Budget 2027"], ["Meeting with Zoë"]),
    ("eggs", [], ["Shopping list", "Pancakes", "Omelette"]),
    ("egg", [], ["Shopping list", "Pancakes", "Omelette", "Crème brûlée"]),
    ("eggs milk", [], ["Shopping list", "Pancakes"]),
    ("eggs -milk", ["Omelette"], []),
    ("creme brulee", ["Crème brûlée"], []),
    ("CRÈME", ["Crème brûlée"], ["Crème brûlée"]),
    ("zoe", ["Meeting with Zoë"], []),
    ("krakow", ["Travel to Kraków"], []),
    ("travel", ["Travel to Kraków"], ["Packing", "Budget 2027"]),
    ("recipes", [], ["Pancakes", "Omelette", "Crème brûlée"]),
    ("recip", [], ["Pancakes", "Omelette", "Crème brûlée"]),
    ("meet", ["Meeting with Zoë"], ["Time management"]),
    ("run", ["Running plan"], []),
    ("running shoes", ["Running plan"], []),
    ("time", ["Time management"], ["Books to read", "Quotes"]),
    ('"brief history"', ["Books to read"], []),
    ('"history brief"', [], []),
    ("plant tomatoes", ["Garden"], []),
    ("plant", [], ["Garden", "Quotes"]),
    ("dentist or passport", [], ["Dentist", "Packing"]),
    ("wifi", [], []),
    ("wi-fi", ["Wi-Fi"], []),
    ("ada@example.org", ["Wi-Fi"], []),
    ("systemctl", ["Server notes"], []),
    ("inkstream.log", ["Server notes"], []),
    ("ひらがな", [], ["日本語の勉強"]),
    ("日本", ["日本語の勉強"], []),
    ("heating kitchen", ["Letter to the landlord"], []),
    ("thursday", [], ["Meeting with Zoë", "Letter to the landlord"]),
    ("approve", ["Budget 2027"], []),
    ("12,000", ["Budget 2027"], []),
    ("unicorn", [], []),
]


@pytest.fixture(scope="module")
async def reader(service: None, gateway) -> Person:
    person = Person(gateway, Actor(user_id=new_id(), kind="user"))
    for title, body, tags in LIBRARY:
        await person.create(title, body=body, tags=tags)
    return person


@pytest.mark.parametrize(("typed", "first", "others"), WANTED, ids=[wanted[0] for wanted in WANTED])
async def test_what_is_typed_finds_what_is_meant(reader, typed: str, first: list[str], others: list[str]):
    found = await reader.found(typed)
    assert found[: len(first)] == first
    assert set(others) <= set(found)
    if not first and not others:
        assert found == []


@pytest.mark.parametrize("title", [title for title, _, _ in LIBRARY])
async def test_a_title_typed_letter_by_letter_finds_its_note(reader, title: str):
    """From the fourth letter on, for every prefix, and as the first result for the whole title."""
    for length in range(min(4, len(title)), len(title) + 1):
        if title[:length].strip() == title[:length]:
            assert title in await reader.found(title[:length]), title[:length]
    assert (await reader.found(title))[0] == title
