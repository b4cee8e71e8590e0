"""Stories of any length, combined from scenes at random: a long reply to watch, scroll and cancel."""

import secrets

_HEROES = ("Mila", "Tomasz", "Ines", "old Bertrand", "Yuki", "Leonor", "the lighthouse keeper", "Samir")
_PLACES = ("a harbour town", "a village above the clouds", "the last house on the marsh road", "a city of canals")
_FRIENDS = ("a heron with one white feather", "the baker's twin", "a retired tram driver", "a talkative goat")
_THINGS = ("a notebook with damp pages", "a brass key", "a jar of pale blue ink", "a map drawn on a napkin")
_WEATHERS = ("Rain", "Fog", "A dry wind", "The first snow")
_SCENES = (
    "{weather} came in before breakfast, and {hero} decided that a day like this was made for finding things out. On "
    "the table lay {thing}, exactly where nobody had put it.",
    "At the corner stood {friend}, who had been waiting since dawn and said so twice. They walked on together, because "
    "company makes a steep street shorter and a short street better.",
    "The clock on the square had stopped at seven minutes past four. It had done so for years, yet today every pigeon "
    "sat in a row beneath it, as if an announcement were due.",
    "They asked the woman at the post office, who asked her husband, who asked the cat. The cat looked at the door to "
    "the cellar, and that was the most useful answer anyone had given all morning.",
    "Downstairs it smelled of apples and candle wax. Forty-one steps they counted going down, and forty when they "
    "tried to count them again, which {hero} wrote down at once.",
    "Someone had painted a small boat on the wall, and under it a sentence: the tide keeps better notes than we do. "
    "{hero} read it aloud, and far away a bell answered.",
    "{friend_capital} knew a shortcut, and like all shortcuts it was longer and far more interesting. It led across "
    "two roofs, past a garden of chimneys, and through the back room of a shop that sold nothing but string.",
    "For a while nobody spoke. There was only the sound of water finding its way between stones, patient as a teacher "
    "who has heard every excuse and likes the pupils all the same.",
    "A boy on a red bicycle overtook them, turned around, and offered his lamp without being asked. It burned with a "
    "steady yellow light and hummed a little when they turned left.",
    "Behind the third door they found a room full of letters that had never been sent. Each began with the same word, "
    "and the word was tomorrow.",
    "{hero} sat down on the cold floor and began to read. The letters told of harvests and quarrels, of a dance that "
    "lasted until the roof gave way, and of a promise that somebody had meant to keep.",
    "By noon the sky had changed its mind. Light fell through a crack in the ceiling and drew a line across the floor, "
    "straight to {thing}.",
    "It would have been easy to go home then. But easy things had never held {hero}'s attention for long, and the "
    "heron-grey afternoon still had hours in its pockets.",
    "They came to a bridge with a toll of one true sentence. {friend_capital} paid first, quietly, and would not say "
    "afterwards what it had been; the bridge seemed content.",
    "On the other side the road divided into three, and then, after a moment's thought, into two. They took the one "
    "with fresh footprints, which turned out to be their own.",
    "Evening found them at the kitchen table again, with soup, bread, and more questions than in the morning. That, "
    "{hero} said, is how one can tell that a day was not wasted.",
)
_ABOUT = (
    "People in those parts had long told each other about {topic}, mostly in low voices and mostly wrong. {hero} "
    "wanted to know how it really was.",
    "And there it was again, in the margin of the oldest page: {topic}. Somebody had underlined it twice and then, it "
    "seemed, run out of the room.",
    "“So it was about {topic} all along,” said {hero}, and nobody at the table was surprised, least of all the goat.",
)
_END = (
    "And when the lamp had burned down, {hero} opened a new page and wrote the date on it. Nothing more was needed; "
    "the rest of the story knew the way from there."
)
WORDS_MAX = 5_000


def story(topic: str, words: int) -> str:
    """A story of at least `words` words (5,000 at most), about `topic` unless that is empty."""
    choice = secrets.choice
    friend = choice(_FRIENDS)
    slots = {
        "hero": choice(_HEROES),
        "friend_capital": friend[:1].upper() + friend[1:],
        "topic": topic,
    }
    paragraphs = [
        f"In {choice(_PLACES)} there lived somebody called {slots['hero']}, who could not leave a riddle alone."
    ]
    scenes = [choice(_ABOUT)] if topic else []
    while sum(len(paragraph.split()) for paragraph in paragraphs) < min(words, WORDS_MAX):
        if not scenes:
            scenes = _shuffled([*_SCENES, *(_ABOUT if topic else ())])
        paragraphs.append(scenes.pop().format(friend=friend, thing=choice(_THINGS), weather=choice(_WEATHERS), **slots))
    paragraphs.append(_END.format(**slots))
    return "\n\n".join(paragraph[:1].upper() + paragraph[1:] for paragraph in paragraphs)


def _shuffled(scenes: list[str]) -> list[str]:
    return sorted(scenes, key=lambda _: secrets.randbits(32))
